package ingest

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
)

const (
	blockSize = 1 << 20
	longest   = 8 << 20 // bytes of a line; a longer one is rejected and stepped over without being kept
)

// line is what became of one line of a file.
type line[T any] struct {
	number int
	value  T
	why    string // "" when it could be read
}

// lines reads r line by line with parse on every core, and gives the results to each, one after the other and in order. Empty lines are
// left out. Memory is bounded by the number of cores, whatever the length of a line.
func lines[T any](ctx context.Context, r io.Reader, parse func(string) (T, string), each func(line[T]) error) error {
	type job struct {
		b    block
		done chan []line[T]
	}
	whole := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan job), make(chan job, 2*workers)
	failed := make(chan error, 1)
	for range workers {
		go func() {
			for j := range work {
				j.done <- parseBlock(j.b, parse)
			}
		}()
	}
	go func() {
		defer close(order)
		defer close(work)
		failed <- blocks(r, func(b block) bool {
			j := job{b, make(chan []line[T], 1)}
			select {
			case order <- j:
			case <-ctx.Done():
				return false
			}
			select {
			case work <- j:
			case <-ctx.Done():
				j.done <- nil
				return false
			}
			return true
		})
	}()
	for j := range order {
		for _, l := range <-j.done {
			if err := each(l); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := <-failed; err != nil {
		return err
	}
	return whole.Err() // what was cut short is not whole
}

func parseBlock[T any](b block, parse func(string) (T, string)) []line[T] {
	if b.tooLong {
		return []line[T]{{number: b.first, why: "longer than 8 MiB"}}
	}
	out := make([]line[T], 0, len(b.text)/1000+1)
	for n, text := b.first, b.text; text != ""; n++ {
		one, rest, _ := strings.Cut(text, "\n")
		text = rest
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		if n == 1 {
			one = strings.TrimPrefix(one, "\ufeff")
		}
		v, why := parse(one)
		out = append(out, line[T]{n, v, why})
	}
	return out
}

// block is a run of whole lines.
type block struct {
	text    string
	first   int // number of its first line, from 1
	tooLong bool
}

// blocks cuts r at line ends until give returns false.
func blocks(r io.Reader, give func(block) bool) error {
	buf, held, number := make([]byte, blockSize), 0, 1
	skipping := false
	for {
		n, err := r.Read(buf[held:])
		fresh := buf[held : held+n]
		held += n
		if skipping {
			i := bytes.IndexByte(fresh, '\n')
			if i < 0 {
				held = 0
			} else {
				held = copy(buf, fresh[i+1:])
				skipping = false
				number++
			}
		}
		if end := bytes.LastIndexByte(buf[:held], '\n') + 1; !skipping && end > 0 && (held == len(buf) || err != nil || end >= blockSize/2) {
			if !give(block{text: string(buf[:end]), first: number}) {
				return nil
			}
			number += bytes.Count(buf[:end], []byte{'\n'})
			held = copy(buf, buf[end:held])
		}
		switch {
		case err == io.EOF:
			if held > 0 && !skipping {
				give(block{text: string(buf[:held]), first: number})
			}
			return nil
		case err != nil:
			return err
		case held < len(buf):
		case len(buf) < longest:
			buf = append(buf, make([]byte, len(buf))...)
		default:
			if !give(block{first: number, tooLong: true}) {
				return nil
			}
			skipping, held = true, 0
		}
	}
}
