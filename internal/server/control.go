package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"chartwarden/internal/outcome"
)

// Command is a subcommand that works on an open installation. The process that holds the directory runs it: the one started for it, or
// the running server, asked over the control socket.
type Command func(ctx context.Context, s *Server, args []string, out *bytes.Buffer) error

// socketName is the control socket inside the data directory. Whoever may open it owns the files anyway; it gives no right that root on
// this machine lacks (SECURITY.md). Where the path is too long for a socket (about 100 bytes) it lies in a directory of its own for
// temporary files, and the file placeName in the data directory says where.
const (
	socketName = "control.sock"
	placeName  = "control.place"
)

// listenControl opens the socket; free removes it.
func listenControl(dir string) (l net.Listener, free func(), err error) {
	for _, left := range []string{socketName, placeName} {
		_ = os.Remove(filepath.Join(dir, left)) // of a killed server; the directory lock says that none is alive
	}
	path := filepath.Join(dir, socketName)
	if l, err = net.Listen("unix", path); err == nil {
		return l, func() {}, os.Chmod(path, 0o600)
	}
	own, err := os.MkdirTemp("", "chartwarden-") // 0700, so nobody else can put a socket there
	if err != nil {
		return nil, nil, err
	}
	free = func() {
		_ = os.Remove(filepath.Join(dir, placeName))
		_ = os.RemoveAll(own)
	}
	path = filepath.Join(own, socketName)
	if l, err = net.Listen("unix", path); err == nil {
		err = os.WriteFile(filepath.Join(dir, placeName), []byte(path), 0o600)
	}
	if err != nil {
		free()
	}
	return l, free, err
}

// controlPath is where the running server of a directory listens.
func controlPath(dir string) string {
	if elsewhere, err := os.ReadFile(filepath.Join(dir, placeName)); err == nil {
		return string(elsewhere)
	}
	return filepath.Join(dir, socketName)
}

type controlRequest struct {
	Args []string `json:"args"`
}

type controlReply struct {
	Out  string       `json:"out"`
	Fail string       `json:"fail,omitempty"`
	Code outcome.Code `json:"code,omitempty"`
	At   string       `json:"at,omitempty"`
}

// serveControl answers commands on the control socket until the returned function is called. Where there can be none the server goes
// on without: then commands ask to stop it first.
func (s *Server) serveControl(ctx context.Context, commands map[string]Command) (stop func()) {
	listener, free, err := listenControl(s.Config.Data)
	if err != nil {
		s.options.Logger.Warn("no control socket: commands work on a stopped server only", "error", err)
		if listener != nil {
			_ = listener.Close()
		}
		return func() {}
	}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		command, ok := commands[filepath.Base(r.URL.Path)]
		var in controlRequest
		if !ok || json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in) != nil {
			http.Error(w, "no such command", http.StatusNotFound)
			return
		}
		var out bytes.Buffer
		reply := controlReply{}
		if err := command(r.Context(), s, in.Args, &out); err != nil {
			reply.Fail, reply.Code = err.Error(), outcome.CodeOf(err)
			var o *outcome.Error
			if errors.As(err, &o) {
				reply.Fail, reply.At = o.Public, o.Expression
			}
		}
		reply.Out = out.String()
		_ = json.NewEncoder(w).Encode(reply) // the asking process may be gone
	})}
	go func() { _ = srv.Serve(listener) }()
	return func() {
		_ = srv.Close()
		free()
	}
}

// RunCommand runs command on the installation of c: in the server that holds the directory, or here when none does.
func RunCommand(ctx context.Context, c Config, o Options, name string, command Command, args []string, out *bytes.Buffer) error {
	s, err := Open(ctx, c, o)
	if err == nil {
		err = command(ctx, s, args, out)
		if closed := s.Close(); err == nil {
			err = closed
		}
		return err
	}
	if !outcome.Is(err, outcome.Lock) {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", controlPath(c.Data))
	}}}
	body, jsonErr := json.Marshal(controlRequest{args})
	if jsonErr != nil {
		return jsonErr
	}
	request, reqErr := http.NewRequestWithContext(ctx, http.MethodPost, "http://control/"+name, bytes.NewReader(body))
	if reqErr != nil {
		return reqErr
	}
	answer, dialErr := client.Do(request)
	if dialErr != nil {
		return err // the lock is held and nobody answers: say who holds it
	}
	defer answer.Body.Close()
	var reply controlReply
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil {
		return outcome.Wrap("server: control", outcome.Exception, "the running server gave no answer", err)
	}
	out.WriteString(reply.Out)
	if reply.Fail != "" {
		return (&outcome.Error{Code: reply.Code, Public: reply.Fail}).At(reply.At)
	}
	return nil
}
