package target_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"holobench/target"
	"holobench/wire/phoenix"
)

// pollLoop is the second bare loop beside long polling, where each delivery is answered by another request: it reads the poll of
// each subscriber, by one read(2), and writes the answer, by one write(2). It looks at no byte of the poll.
type pollLoop struct {
	fds    []int
	asked  []bool // whose poll was read
	buffer []byte
	answer []byte // room for one with as many events as go at once
	head   int    // bytes of an answer without events
	event  int    // ... of an event in it
}

// newPollLoop makes one whose answers are as long as those of the engine: size is that of one with one event.
func newPollLoop(fds []int, size int) *pollLoop {
	broadcast := phoenix.AppendBroadcast(nil, "room", "message", strings.Repeat("x", fanoutPayload))
	event := len(phoenix.AppendPollMessage(nil, broadcast)) + len(",")
	return &pollLoop{
		fds: fds, asked: make([]bool, len(fds)), buffer: make([]byte, 8<<10), answer: make([]byte, 0, mostAtOnce+size),
		head: size - event, event: event,
	}
}

// make makes an answer with so many events.
func (l *pollLoop) make(events int) []byte {
	whole := l.head + events*l.event
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
	body := whole - len(head) - len("\r\n\r\n")
	body -= len(strconv.Itoa(body))
	l.answer = append(strconv.AppendInt(append(l.answer[:0], head...), int64(body), 10), "\r\n\r\n"...)
	return l.answer[:min(whole, cap(l.answer))]
}

// read reads the poll of a subscriber, and says whether it has come.
func (l *pollLoop) read(i int) bool {
	if l.asked[i] {
		return true
	}
	n, err := syscall.Read(l.fds[i], l.buffer)
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		must(err)
	}
	l.asked[i] = n > 0
	return l.asked[i]
}

func (l *pollLoop) write(i int, answer []byte) {
	n, err := syscall.Write(l.fds[i], answer)
	must(err)
	if n < len(answer) {
		must(fmt.Errorf("a socket took %d of %d bytes", n, len(answer)))
	}
	l.asked[i] = false
}

// idle answers the polls of all with one event, so many times, each when all of them have come.
func (l *pollLoop) idle(f *fanout, events int) (c cost) {
	began := cpu()
	for range events {
		start := time.Now()
		answer := l.make(1)
		for i := range l.fds {
			l.write(i, answer)
		}
		c.wall += time.Since(start)
		f.settle()
		for i := range l.fds {
			for !l.read(i) {
				pause(time.Millisecond)
			}
		}
	}
	c.cpu, c.deliveries = cpu()-began, events*len(l.fds)
	return c
}

// busy answers each poll with what waits for its subscriber, as long as bareBusy writes, and within the same window.
func (l *pollLoop) busy(f *fanout) (c cost) {
	at := make([]int, len(l.fds)) // events that each has got
	most := (mostAtOnce - l.head) / l.event
	began, start := cpu(), time.Now()
	for least, last := 0, -1; last < 0 || least < last; {
		until := least + fanoutWindow
		if last >= 0 {
			until = last
		}
		progress := false
		least = until
		for i := range l.fds {
			if waits := min(until-at[i], most); waits > 0 && l.read(i) {
				l.write(i, l.make(waits))
				at[i] += waits
				progress = true
			}
			least = min(least, at[i])
		}
		if last < 0 && time.Since(start) >= busyTime {
			last = until
		}
		if !progress {
			pause(100 * time.Microsecond)
		}
	}
	c.wall, c.cpu = time.Since(start), cpu()-began
	for _, events := range at {
		c.deliveries += events
	}
	f.settleBusy()
	for i := range l.fds { // as idle leaves them
		for !l.read(i) {
			pause(time.Millisecond)
		}
	}
	return c
}

// poller is a subscriber of long polling: it sends the next poll when it has the whole answer to the one before.
type poller struct {
	poll []byte
	left int // bytes of an answer that are still to come
}

// read takes what has come to one of them. The head of an answer comes with its beginning, as it is written at once.
func (p *poller) read(fd int, read []byte) {
	if p.left == 0 {
		const name = "Content-Length: "
		_, rest, found := bytes.Cut(read, []byte(name))
		value, _, _ := bytes.Cut(rest, []byte("\r\n"))
		length, err := strconv.Atoi(string(value))
		end := bytes.Index(read, []byte("\r\n\r\n"))
		if !found || err != nil || end < 0 {
			must(fmt.Errorf("an answer begins with %q", read[:min(len(read), 300)]))
		}
		p.left = end + len("\r\n\r\n") + length
	}
	p.left -= len(read)
	if p.left < 0 {
		must(fmt.Errorf("an answer is %d bytes longer than it says", -p.left))
	}
	if p.left == 0 {
		_, err := syscall.Write(fd, p.poll)
		must(err)
	}
}

// openSession opens a session on the connection and joins the channel; it returns the path of its polls.
func openSession(fd int) (path string) {
	path = phoenix.LongPollPath + "?vsn=2.0.0"
	var opened phoenix.Poll
	answer := exchange(fd, "GET "+path+" HTTP/1.1\r\nHost: target\r\n\r\n", "]}")
	_, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	must(opened.Parse(body))
	path += "&token=" + opened.Token
	const join = `["1","1","room","phx_join",{}]`
	exchange(fd, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: target\r\nContent-Length: %d\r\n\r\n%s", path, len(join), join), `{"status":200}`)
	if joined := exchange(fd, "GET "+path+" HTTP/1.1\r\nHost: target\r\n\r\n", "]}"); !bytes.Contains(joined, []byte(phoenix.EventReply)) {
		must(fmt.Errorf("joining was answered %s", joined))
	}
	return path
}

// anyPath is the path of a poll as long as those of the engine.
func anyPath() string { return phoenix.LongPollPath + "?vsn=2.0.0&token=" + strings.Repeat("T", 26) }

// polls says whether the subscribers of an engine poll.
func polls(engine string) bool { return engine == string(target.LongPoll) }
