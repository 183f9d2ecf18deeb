#!/usr/bin/env python3
"""Verifies an audit bundle with nothing but Python's standard library.

    verify-audit-bundle.py BUNDLE --key 'hospital.example/log+6ea1b2c3+AX...' [--head FILE] [--witness-key 'witness.example/w+01ab23cd+BA...']

It reads docs/formats/audit-bundle.md literally and shares no code with Chartwarden: entries give leaves, leaves give the root, the root is
in the signed checkpoint. What is opened must be what its entry committed to. Give the key (and a head) that you were given before; the
bundle's own key proves only that the bundle agrees with itself. Exit code 0: it holds; 1: each fault is named.
"""
import argparse, base64, functools, hashlib, json, pathlib, sys, time

P = 2**255 - 19                                    # Ed25519, RFC 8032
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def plus(a, b):
    """Adds two points in extended coordinates."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(k, point):
    out = (0, 1, 1, 0)
    while k:
        if k & 1:
            out = plus(out, point)
        point, k = plus(point, point), k >> 1
    return out


def decode(b):
    """Reads a compressed point; None if it is not on the curve."""
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - xx) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key, message, signature):
    a, r, s = decode(key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = times(s, BASE), plus(r, times(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root(hashes):
    """RFC 6962: the hash over a list of leaf hashes."""
    if not hashes:
        return sha()
    stack = []                                     # (height, hash): complete subtrees from the left
    for h in hashes:
        height = 0
        while stack and stack[-1][0] == height:
            h, height = sha(b"\x01", stack.pop()[1], h), height + 1
        stack.append((height, h))
    out = stack.pop()[1]
    while stack:
        out = sha(b"\x01", stack.pop()[1], out)
    return out


@functools.lru_cache
def checkpoint(note, key):
    """Opens a C2SP signed checkpoint: (origin, size, root); ValueError when the key did not sign it."""
    name, key_id, encoded = key.split("+", 2)
    public = base64.b64decode(encoded)
    if sha(name.encode(), b"\n", public)[:4].hex() != key_id or public[0] != 1:
        raise ValueError("the key's id does not belong to it")
    text, _, lines = note.rpartition(b"\n\n")
    text += b"\n"
    for line in lines.decode().splitlines():
        dash, who, sig = line.split(" ")
        sig = base64.b64decode(sig)
        if dash == "\u2014" and who == name and sig[:4].hex() == key_id and signed(public[1:], text, sig[4:]):
            origin, size, digest = text.decode().split("\n")[:3]
            if origin == name:
                return origin, int(size), base64.b64decode(digest)
    raise ValueError("it is not signed by the key")


def cosigned(note, key):
    """When a witness cosigned a checkpoint (C2SP cosignature/v1), as Unix seconds; None: it did not."""
    name, key_id, encoded = key.split("+", 2)
    public = base64.b64decode(encoded)
    if sha(name.encode(), b"\n", public)[:4].hex() != key_id or public[0] != 4:
        raise ValueError("the witness key's id does not belong to it")
    text, _, lines = note.rpartition(b"\n\n")
    for line in lines.decode().splitlines():
        dash, who, sig = line.split(" ")
        sig = base64.b64decode(sig)
        at = int.from_bytes(sig[4:12], "big")
        if dash == "\u2014" and who == name and sig[:4].hex() == key_id and signed(public[1:], b"cosignature/v1\ntime %d\n" % at + text + b"\n", sig[12:]):
            return at
    return None


def place(n, width):
    """Where tile or bundle n lies below its folder."""
    out = "%03d" % (n % 1000)
    while n >= 1000:
        n //= 1000
        out = "x%03d/%s" % (n % 1000, out)
    return out if width == 256 else "%s.p/%d" % (out, width)


def leads_to(leaf, index, size, path):
    """RFC 9162 2.1.3.2: the root that an inclusion proof gives, or None."""
    node, last = index, size - 1
    for p in path:
        if last == 0:
            return None
        if node & 1 or node == last:
            leaf = sha(b"\x01", p, leaf)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            leaf = sha(b"\x01", leaf, p)
        node, last = node >> 1, last >> 1
    return leaf if last == 0 else None


def verify(folder, key, heads, witnesses, fault):
    key = key or (folder / "key").read_text().strip()
    origin, size, want = checkpoint((folder / "checkpoint").read_bytes(), key)
    entries = []
    for n in range(0, size, 256):
        width = min(256, size - n)
        data, at = (folder / "entries" / place(n // 256, width)).read_bytes(), 0
        while at < len(data):
            length = int.from_bytes(data[at:at + 2], "big")
            entries.append(data[at + 2:at + 2 + length])
            at += 2 + length
    leaves = [sha(b"\x00", e) for e in entries]
    if len(entries) != size:
        fault("%s: %d entries are here, the checkpoint states %d" % (origin, len(entries), size))
    elif root(leaves) != want:
        fault("%s: the entries do not give the root that the checkpoint states" % origin)
    level, row = 0, leaves
    while row:                                     # tiles: each level holds the roots of runs of 256 of the one below
        for n in range(0, len(row), 256):
            run = row[n:n + 256]
            tile = folder / "tile" / str(level) / place(n // 256, len(run))
            if not tile.exists() or tile.read_bytes() != b"".join(run):
                fault("%s: tile %d/%d is missing or is not what the entries give" % (origin, level, n // 256))
        row, level = [root(row[n:n + 256]) for n in range(0, len(row) - 255, 256)], level + 1
    for witness in witnesses:
        notes = (folder / "heads").read_bytes().split(b"\n\n") if (folder / "heads").exists() else []
        notes = [b"\n\n".join(notes[i:i + 2]).rstrip(b"\n") + b"\n" for i in range(0, len(notes) - 1, 2)]
        seen = [(checkpoint(note, key)[1], cosigned(note, witness)) for note in [(folder / "checkpoint").read_bytes()] + notes + heads]
        seen = max((s for s in seen if s[1]), default=None)
        if seen is None:
            fault("%s: no head of it is cosigned by %s" % (origin, witness.split("+")[0]))
        else:
            print("%s cosigned %d of %d entries at %s" % (witness.split("+")[0], min(seen[0], size), size, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seen[1]))))
    for note in heads:
        name, at, other = checkpoint(note, key)
        if at > size or root(leaves[:at]) != other:
            fault("%s: the head given (size %d) is of another history, or newer than the bundle" % (name, at))
    openings = folder / "openings.ndjson"
    for line in openings.read_text().splitlines() if openings.exists() else []:
        opened = json.loads(line)
        parts = [sha(base64.b64decode(p["salted"])) if "salted" in p else base64.b64decode(p["commitment"]) for p in opened["parts"]]
        if not 0 <= opened["index"] < len(entries) or sha(*parts) != entries[opened["index"]][-32:]:
            fault("%s/%d: its payload is not what it committed to" % (origin, opened["index"]))
    for file in sorted((folder / "proofs").glob("*.tlog-proof")):
        head, _, note = file.read_bytes().partition(b"\n\n")
        lines = head.decode().split("\n")
        index, path = int(lines[1].split()[1]), [base64.b64decode(h) for h in lines[2:]]
        _, at, other = checkpoint(note, key)
        if index >= len(leaves) or leads_to(leaves[index], index, at, path) != other:
            fault("%s/%d: its proof does not hold" % (origin, index))
    return "%s: %d entries, root %s" % (origin, size, base64.b64encode(want).decode())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("bundle", type=pathlib.Path)
    arguments.add_argument("--key", help="the log's verifier key, from elsewhere")
    arguments.add_argument("--head", type=pathlib.Path, action="append", default=[], help="a signed head, from elsewhere")
    arguments.add_argument("--witness-key", action="append", default=[], help="verifier key of a witness, from elsewhere, that must have cosigned the log")
    a = arguments.parse_args()
    faults = []
    try:
        said = verify(a.bundle, a.key, [h.read_bytes() for h in a.head], a.witness_key, faults.append)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as e:
        said, faults = str(a.bundle), faults + ["%s: %s" % (a.bundle, e)]
    print(said, "FAULTS" if faults else "holds", *faults, sep="\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
