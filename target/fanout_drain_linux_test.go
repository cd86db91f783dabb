package target_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"

	"holobench/target"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// drainBuffer is the receive buffer of a subscriber, in bytes: that of the kernel would grow to many megabytes, and thousands
// of them beyond what the machine has.
const drainBuffer = 128 << 10

// fanoutDrain is the process of the subscribers: its arguments are the engine, how many there are, and the server's addresses:
// of the engine, and, where it is polled, of the two bare loops. It reads and looks at nothing, but for the ends of answers to
// polls, from one thread, so that it takes as little of the machine as it can.
func fanoutDrain(arguments []string) {
	count, err := strconv.Atoi(arguments[1])
	must(err)
	addr, written, polled := arguments[2], arguments[3], arguments[4]
	input := bufio.NewScanner(os.Stdin)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	must(err)
	d := &drainer{epoll: epoll, pollers: map[int]*poller{}}
	go d.run()
	for i := range count {
		fd := dialRaw(addr)
		switch arguments[0] {
		case string(target.LongPoll):
			d.poll(fd, openSession(fd))
			continue
		case string(target.Channels):
			subscribeSocket(fd)
		case referenceSSE:
			exchange(fd, "GET /events?stream=room HTTP/1.1\r\nHost: target\r\n\r\n", "\r\n\r\n")
		default:
			exchange(fd, request(fmt.Sprint("c", i), "room"), "\r\n\r\n")
		}
		watch(epoll, fd)
	}
	fmt.Println("subscribed")
	input.Scan()
	if polls(arguments[0]) {
		for range count {
			watch(epoll, dialRaw(written))
			d.poll(dialRaw(polled), anyPath())
		}
	}
	fmt.Println("ready")
	input.Scan()
	os.Exit(0)
}

// dialRaw opens a connection that the runtime's poller does not know, whose readiness would wake this process twice.
func dialRaw(addr string) (fd int) {
	at, err := netip.ParseAddrPort(addr)
	must(err)
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(err)
	must(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, drainBuffer))
	must(syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}))
	return fd
}

// exchange sends text and reads until until.
func exchange(fd int, text, until string) (read []byte) {
	_, err := syscall.Write(fd, []byte(text))
	must(err)
	buffer := make([]byte, 1<<10)
	for !bytes.Contains(read, []byte(until)) {
		n, err := syscall.Read(fd, buffer)
		must(err)
		if n == 0 {
			must(io.ErrUnexpectedEOF)
		}
		read = append(read, buffer[:n]...)
	}
	return read
}

func subscribeSocket(fd int) {
	exchange(fd, socketRequest, "\r\n\r\n")
	join := phoenix.AppendMessage(nil, phoenix.Message{JoinRef: "1", Ref: "1", Topic: "room", Event: phoenix.EventJoin, Payload: []byte("{}")})
	frame := websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Text, Masked: true, Payload: join})
	exchange(fd, string(frame), phoenix.EventReply)
}

func watch(epoll, fd int) {
	must(syscall.SetNonblock(fd, true))
	must(syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
}

// drainer reads from whatever is readable.
type drainer struct {
	epoll int

	mu      sync.Mutex
	pollers map[int]*poller // by their descriptors; all others only read
}

// poll makes the connection one that polls, from now on.
func (d *drainer) poll(fd int, path string) {
	p := &poller{poll: []byte("GET " + path + " HTTP/1.1\r\nHost: target\r\n\r\n")}
	d.mu.Lock()
	d.pollers[fd] = p
	d.mu.Unlock()
	_, err := syscall.Write(fd, p.poll)
	must(err)
	watch(d.epoll, fd)
}

// run reads until the process ends.
func (d *drainer) run() {
	events, buffer := make([]syscall.EpollEvent, 256), make([]byte, 64<<10)
	for {
		n, err := syscall.EpollWait(d.epoll, events, -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		must(err)
		for i := range events[:n] {
			fd := int(events[i].Fd)
			read, err := syscall.Read(fd, buffer)
			if read == 0 || err != nil && !errors.Is(err, syscall.EAGAIN) {
				syscall.Close(fd) // the server has gone, or will say what is wrong
			}
			d.mu.Lock()
			p := d.pollers[fd]
			d.mu.Unlock()
			if p != nil && read > 0 {
				p.read(fd, buffer[:read])
			}
		}
	}
}
