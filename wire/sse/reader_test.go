package sse_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"holobench/wire/sse"
)

// notes writes down what a stream says, one line each, with copies of all bytes.
type notes struct{ lines []string }

func (n *notes) OnEvent(e *sse.Event) {
	n.lines = append(n.lines, fmt.Sprintf("event name=%q id=%q data=%q", e.Name, e.ID, e.Data))
}

func (n *notes) OnComment(text []byte) { n.lines = append(n.lines, fmt.Sprintf("comment %q", text)) }

func (n *notes) OnRetry(wait time.Duration) { n.lines = append(n.lines, "retry "+wait.String()) }

var (
	lineEnd   = regexp.MustCompile(`\r\n|\r|\n`)
	onlyDigit = regexp.MustCompile(`^[0-9]+$`)
)

// read is the definition against which the Parser is held: the whole stream at hand, its lines split by a regular
// expression, the steps of the standard one after the other with the buffers that it names.
func read(stream string) (said []string, lastID string) {
	var n notes
	stream = strings.TrimPrefix(stream, "\xef\xbb\xbf")
	lines := lineEnd.Split(stream, -1)
	lines = lines[:len(lines)-1] // what has no end is dropped

	var dataBuffer, nameBuffer, idBuffer string
	for _, line := range lines {
		if line == "" {
			lastID = idBuffer
			if dataBuffer != "" {
				dataBuffer = strings.TrimSuffix(dataBuffer, "\n")
				n.OnEvent(&sse.Event{Name: []byte(nameBuffer), ID: []byte(lastID), Data: []byte(dataBuffer)})
			}
			dataBuffer, nameBuffer = "", ""
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case strings.HasPrefix(line, ":"):
			n.OnComment([]byte(value))
		case field == "event":
			nameBuffer = value
		case field == "data":
			dataBuffer += value + "\n"
		case field == "id" && !strings.Contains(value, "\x00"):
			idBuffer = value
		case field == "retry" && onlyDigit.MatchString(value):
			const longest = uint64((1<<63 - 1) / int64(time.Millisecond))
			ms, err := strconv.ParseUint(value, 10, 64)
			if err != nil || ms > longest {
				ms = longest
			}
			n.OnRetry(time.Duration(ms) * time.Millisecond)
		}
	}
	return n.lines, lastID
}
