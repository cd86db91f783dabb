package target_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"holobench/target"
	"holobench/wire/phoenix"
	"holobench/wire/websocket"
)

// drainBuffer is the receive buffer of a subscriber, in bytes: that of the kernel would grow to many megabytes, and thousands
// of them beyond what the machine has.
const drainBuffer = 128 << 10

// fanoutDrain is the process of the subscribers: its arguments are the engine, how many there are, and the server's addresses.
// It reads and looks at nothing, from one thread, so that it takes as little of the machine as it can.
func fanoutDrain(arguments []string) {
	count, err := strconv.Atoi(arguments[1])
	must(err)
	addr, spare := arguments[2], arguments[3]
	input := bufio.NewScanner(os.Stdin)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	must(err)
	go drainAll(epoll)
	polls := arguments[0] == string(target.LongPoll)
	for i := range count {
		if polls {
			subscribePoll(addr)
			continue
		}
		fd := dialRaw(addr)
		switch arguments[0] {
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
	if polls {
		for range count {
			watch(epoll, dialRaw(spare))
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
func exchange(fd int, text, until string) {
	_, err := syscall.Write(fd, []byte(text))
	must(err)
	var read []byte
	buffer := make([]byte, 1<<10)
	for !bytes.Contains(read, []byte(until)) {
		n, err := syscall.Read(fd, buffer)
		must(err)
		if n == 0 {
			must(io.ErrUnexpectedEOF)
		}
		read = append(read, buffer[:n]...)
	}
}

func subscribeSocket(fd int) {
	exchange(fd, socketRequest, "\r\n\r\n")
	join := phoenix.AppendMessage(nil, phoenix.Message{JoinRef: "1", Ref: "1", Topic: "room", Event: phoenix.EventJoin, Payload: []byte("{}")})
	frame := websocket.AppendFrame(nil, websocket.Frame{Opcode: websocket.Text, Masked: true, Payload: join})
	exchange(fd, string(frame), phoenix.EventReply)
}

// subscribePoll opens a session, joins, and polls for good.
func subscribePoll(addr string) {
	conn, err := net.Dial("tcp", addr)
	must(err)
	reader := bufio.NewReaderSize(conn, 1<<10)
	roundTrip := func(request string) []byte {
		_, err := io.WriteString(conn, request)
		must(err)
		response, err := http.ReadResponse(reader, nil)
		must(err)
		body, err := io.ReadAll(response.Body)
		must(err)
		return body
	}
	head := phoenix.LongPollPath + "?vsn=2.0.0"
	var opened phoenix.Poll
	must(opened.Parse(roundTrip("GET " + head + " HTTP/1.1\r\nHost: target\r\n\r\n")))
	head += "&token=" + string(opened.Token)
	const join = `["1","1","room","phx_join",{}]`
	roundTrip(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: target\r\nContent-Length: %d\r\n\r\n%s", head, len(join), join))
	poll := "GET " + head + " HTTP/1.1\r\nHost: target\r\n\r\n"
	if answer := roundTrip(poll); !strings.Contains(string(answer), phoenix.EventReply) {
		must(fmt.Errorf("joining was answered %s", answer))
	}
	go func() {
		for {
			roundTrip(poll)
		}
	}()
}

func watch(epoll, fd int) {
	must(syscall.SetNonblock(fd, true))
	must(syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
}

// drainAll reads from whatever is readable until the process ends.
func drainAll(epoll int) {
	events, buffer := make([]syscall.EpollEvent, 256), make([]byte, 64<<10)
	for {
		n, err := syscall.EpollWait(epoll, events, -1)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		must(err)
		for i := range events[:n] {
			if read, err := syscall.Read(int(events[i].Fd), buffer); read == 0 || err != nil && !errors.Is(err, syscall.EAGAIN) {
				syscall.Close(int(events[i].Fd)) // the server has gone, or will say what is wrong
			}
		}
	}
}
