// Package collect takes audit messages of other systems from the network, as IHE ATNA sends them by syslog: datagrams (RFC 5426) and TLS
// (RFC 5425).
//
//	file, err := collect.OpenFile("events.ndjson")
//	c, err := collect.Listen(collect.Options{UDP: ":514", TLS: ":6514", Config: config, Append: file.Append})
//	err = c.Run(ctx) // until ctx ends; what was taken is appended by then
//
// Syslog knows no answer: what a sender has sent it believes delivered. So batches are appended durably and soon; when that is slow,
// connections wait, and datagrams that find no room are dropped and counted. Nothing that a sender does stops the collector, only a file
// that cannot be written.
package collect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"chartwarden/internal/detect"
	"chartwarden/internal/ingest/atna"
	"chartwarden/internal/ingest/foreign"
	"chartwarden/internal/outcome"
)

// Options of a collector. Zero values are the defaults.
type Options struct {
	UDP, TLS    string      // addresses to listen on; "" for none
	Config      *tls.Config // of TLS; with ClientCAs set, senders need a certificate of theirs
	Zone        *time.Location
	Append      func([]detect.Event) error // of whole batches, one at a time; an error ends the collector
	Keep        func([]string) error       // instead: the same messages, word by word
	Most        int                        // bytes of a message: 256 KiB
	Connections int                        // at a time: 64
	Idle        time.Duration              // how long a connection may be silent: an hour
	Patience    time.Duration              // how long a message, once begun, and a handshake may take: 30 s
	Logger      *slog.Logger
}

// Counts say what came.
type Counts struct {
	Messages    int64 `json:"messages"` // appended
	Rejected    int64 `json:"rejected"` // were no audit message
	Dropped     int64 `json:"dropped"`  // datagrams for which there was no room
	Connections int64 `json:"connections"`
	Refused     int64 `json:"refused"` // connections beyond the limit, without a certificate, or too slow
}

// Collector listens. Its methods are safe for concurrent use.
type Collector struct {
	options  Options
	packets  net.PacketConn
	listener net.Listener
	queue    chan taken
	slots    chan struct{}
	told     sync.Map // reasons that were logged once
	open     sync.Map // connections
	all      sync.WaitGroup

	messages, rejected, dropped, connections, refused atomic.Int64
}

// taken is one as it came, and what it says.
type taken struct {
	event detect.Event
	text  string // only for Options.Keep
}

const (
	queued = 4096 // messages that wait for the file
	batch  = 1024
)

// Listen opens the addresses; messages are taken by Run. Errors: outcome.Invalid for an address that cannot be listened on.
func Listen(o Options) (*Collector, error) {
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&o.Most, 256<<10)
	def(&o.Connections, 64)
	if o.Idle <= 0 {
		o.Idle = time.Hour
	}
	if o.Patience <= 0 {
		o.Patience = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Collector{options: o, queue: make(chan taken, queued), slots: make(chan struct{}, o.Connections)}
	if o.UDP == "" && o.TLS == "" {
		return nil, outcome.New(outcome.Required, "name an address to listen on: --udp ADDR, --tls ADDR or both")
	}
	if o.UDP != "" {
		p, err := net.ListenPacket("udp", o.UDP)
		if err != nil {
			return nil, outcome.Wrap("collect: listen", outcome.Invalid, "cannot listen on --udp "+o.UDP+": is the address free and allowed?", err)
		}
		if u, ok := p.(*net.UDPConn); ok {
			_ = u.SetReadBuffer(4 << 20) // as much of it as the system gives
		}
		c.packets = p
	}
	if o.TLS != "" {
		l, err := net.Listen("tcp", o.TLS)
		if err != nil {
			if c.packets != nil {
				c.packets.Close()
			}
			return nil, outcome.Wrap("collect: listen", outcome.Invalid, "cannot listen on --tls "+o.TLS+": is the address free and allowed?", err)
		}
		c.listener = l
	}
	return c, nil
}

// UDPAddr and TLSAddr are where it listens, nil where it does not.
func (c *Collector) UDPAddr() net.Addr {
	if c.packets == nil {
		return nil
	}
	return c.packets.LocalAddr()
}

// TLSAddr is where it listens for TLS, nil where it does not.
func (c *Collector) TLSAddr() net.Addr {
	if c.listener == nil {
		return nil
	}
	return c.listener.Addr()
}

// Counts say what came so far.
func (c *Collector) Counts() Counts {
	return Counts{c.messages.Load(), c.rejected.Load(), c.dropped.Load(), c.connections.Load(), c.refused.Load()}
}

// Run takes messages until ctx ends, then appends what was taken. Call it once. Errors: that of Append.
func (c *Collector) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if c.packets != nil {
			c.packets.Close()
		}
		if c.listener != nil {
			c.listener.Close()
		}
		c.open.Range(func(k, _ any) bool { k.(net.Conn).Close(); return true })
	})
	defer stop()
	if c.packets != nil {
		c.all.Go(func() { c.datagrams(ctx) })
	}
	if c.listener != nil {
		c.all.Go(func() { c.accept(ctx) })
	}
	go func() {
		c.all.Wait()
		close(c.queue)
	}()
	var failed error
	held := make([]taken, 0, batch)
	for e := range c.queue {
		held = append(held[:0], e)
	more:
		for len(held) < batch {
			select {
			case e, ok := <-c.queue:
				if !ok {
					break more
				}
				held = append(held, e)
			default:
				break more
			}
		}
		if failed != nil {
			continue // drained, so that nobody waits for it
		}
		if failed = c.append(held); failed != nil {
			cancel()
			continue
		}
		c.messages.Add(int64(len(held)))
	}
	return failed
}

func (c *Collector) append(held []taken) error {
	if c.options.Keep != nil {
		texts := make([]string, len(held))
		for i := range held {
			texts[i] = held[i].text
		}
		return c.options.Keep(texts)
	}
	events := make([]detect.Event, len(held))
	for i := range held {
		events[i] = held[i].event
	}
	return c.options.Append(events)
}

// datagrams takes messages of RFC 5426, one a datagram.
func (c *Collector) datagrams(ctx context.Context) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := c.packets.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil {
			c.warn("a datagram could not be read", nil)
			time.Sleep(10 * time.Millisecond) // a fault that stays must not take a core
			continue
		}
		e, ok := c.read(buf[:n], "", from)
		if !ok {
			continue
		}
		select {
		case c.queue <- e:
		default:
			c.dropped.Add(1)
			c.warn("datagrams are dropped: the file is slower than they come", from)
		}
	}
}

func (c *Collector) accept(ctx context.Context) {
	for {
		conn, err := c.listener.Accept()
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		select {
		case c.slots <- struct{}{}:
		default:
			c.refused.Add(1)
			c.warn("a connection is refused: there are as many as may be", conn.RemoteAddr())
			conn.Close()
			continue
		}
		c.open.Store(conn, nil)
		if ctx.Err() != nil {
			conn.Close() // those that were open have been closed already
		}
		c.all.Go(func() {
			defer func() {
				conn.Close()
				c.open.Delete(conn)
				<-c.slots
			}()
			c.stream(ctx, conn)
		})
	}
}

// stream takes messages of RFC 5425 from one connection.
func (c *Collector) stream(ctx context.Context, raw net.Conn) {
	conn := tls.Server(raw, c.options.Config)
	_ = raw.SetDeadline(time.Now().Add(c.options.Patience))
	if err := conn.HandshakeContext(ctx); err != nil {
		if ctx.Err() == nil {
			c.refused.Add(1)
			c.warn("a connection is refused: the TLS handshake failed, or no certificate of --client-ca was shown", raw.RemoteAddr())
		}
		return
	}
	c.connections.Add(1)
	in := atna.LiveFrames(conn, c.options.Most)
	for {
		_ = raw.SetDeadline(time.Now().Add(c.options.Idle))
		if in.Wait() != nil {
			return
		}
		_ = raw.SetDeadline(time.Now().Add(c.options.Patience))
		f, err := in.Next()
		if err != nil {
			if err != io.EOF && ctx.Err() == nil {
				c.refused.Add(1)
				c.warn("a connection is ended: a message was begun and not sent to its end", raw.RemoteAddr())
			}
			return
		}
		e, ok := c.read(f.Text, f.Why, raw.RemoteAddr())
		if !ok {
			continue
		}
		select {
		case c.queue <- e: // waits when the file is slow, and so does the sender
		case <-ctx.Done():
			c.queue <- e // it was taken: it is appended before the end
			return
		}
	}
}

// read makes an event of a message.
func (c *Collector) read(text []byte, why string, from net.Addr) (m taken, ok bool) {
	var r foreign.Reading
	if why == "" {
		r, why = atna.Parse(text)
	}
	if why == "" && r.Local && c.options.Zone == nil {
		why = "its time names no zone: say where its clocks are by --zone"
	}
	if why != "" {
		c.rejected.Add(1)
		c.warn("a message is rejected: "+why, from)
		return m, false
	}
	if c.options.Keep != nil {
		return taken{text: string(text)}, true
	}
	return taken{event: r.Plain(c.options.Zone)}, true
}

// warn tells of each kind of trouble once: a sender that sends the same nonsense all day must not fill a disk.
func (c *Collector) warn(what string, from net.Addr) {
	if _, was := c.told.LoadOrStore(what, nil); !was {
		c.options.Logger.Warn(what+" (told once; counted each time)", "from", fmt.Sprint(from))
	}
}
