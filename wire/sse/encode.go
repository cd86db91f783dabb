package sse

import "bytes"

// AppendEvent appends one event to dst. An empty id or name leaves its field out, so that the last event id stays in
// force and the event is a "message"; CR, LF and NUL in them, which would end the field, are left out. Data may hold
// several lines, each of which becomes a "data" field; the format cannot carry a CR, so that CR and CRLF arrive as LF.
// Empty data is an event with empty data. A Parser reads the rest back as it was.
func AppendEvent(dst []byte, id, name string, data []byte) []byte {
	dst = appendField(dst, "id: ", id)
	dst = appendField(dst, "event: ", name)
	dst = appendLines(dst, "data: ", data)
	return append(dst, '\n')
}

// AppendComment appends a comment, as servers send it to keep a stream alive, and an empty line, for the sake of readers
// that look only at whole blocks. It must stand between events: within one, the empty line would end it. Text with
// several lines becomes several comments. To a Parser it is no event; but r3labs/sse reports a block of comments as an
// event without data, once an id is in force.
func AppendComment(dst []byte, text string) []byte {
	dst = appendLines(dst, ": ", []byte(text))
	return append(dst, '\n')
}

// appendField appends one line; what would end it is left out of value.
func appendField(dst []byte, prefix, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, prefix...)
	for i := range len(value) {
		if c := value[i]; c != '\r' && c != '\n' && c != 0 {
			dst = append(dst, c)
		}
	}
	return append(dst, '\n')
}

// appendLines appends a line with prefix for each line of text, at least one.
func appendLines(dst []byte, prefix string, text []byte) []byte {
	for {
		dst = append(dst, prefix...)
		end := bytes.IndexAny(text, "\r\n")
		if end < 0 {
			dst = append(dst, text...)
			return append(dst, '\n')
		}
		dst = append(dst, text[:end]...)
		dst = append(dst, '\n')
		if text[end] == '\r' && end+1 < len(text) && text[end+1] == '\n' {
			end++
		}
		text = text[end+1:]
	}
}
