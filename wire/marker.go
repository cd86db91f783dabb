package wire

import (
	"bytes"
	"strconv"
)

// RunID tells the events of one run from those of every other. It is drawn when a run starts and printed as 8 hex digits.
type RunID uint32

// String prints the id as it stands in a marker.
func (r RunID) String() string {
	return string(appendHex8(nil, uint32(r)))
}

// Marker is the name of an event as it travels inside a payload, in every design:
//
//	hb1.<run>.c<publisher>.s<seq>.t<due>.
//
// for example hb1.00c0ffee.c17.s3.t2500000000. It consists of [A-Za-z0-9.] only, so that no JSON, HTML, URL or JavaScript
// encoder on its way changes it, and it ends in a dot, so that a cut one is not taken for a whole one.
type Marker struct {
	Run   RunID
	Event EventID
	Due   int64 // when the schedule wanted the command sent, in ns since the epoch of the run, at least 0
}

const markerStart = "hb1."

// MarkerMaxLen is the length of the longest marker, in bytes.
const MarkerMaxLen = len(markerStart) + 8 + len(".c4294967295.s4294967295.t9223372036854775807.")

// AppendMarker appends m to dst.
func AppendMarker(dst []byte, m Marker) []byte {
	dst = append(dst, markerStart...)
	dst = appendHex8(dst, uint32(m.Run))
	dst = append(dst, '.', 'c')
	dst = strconv.AppendUint(dst, uint64(m.Event.Publisher), 10)
	dst = append(dst, '.', 's')
	dst = strconv.AppendUint(dst, uint64(m.Event.Seq), 10)
	dst = append(dst, '.', 't')
	dst = strconv.AppendInt(dst, m.Due, 10)
	return append(dst, '.')
}

// FindMarker returns the first marker of data and what follows it, so that a caller can look for more. It allocates
// nothing; what merely looks like a marker is passed over.
func FindMarker(data []byte) (m Marker, rest []byte, ok bool) {
	for from := 0; ; {
		// The first letter is in most words, and "b" in few, so that more is passed over at once.
		at := bytes.IndexByte(data[from:], markerStart[1])
		if at < 0 {
			return Marker{}, nil, false
		}
		from += at + 1
		begin := from - 2
		if begin < 0 || len(data)-begin < len(markerStart) || string(data[begin:begin+len(markerStart)]) != markerStart {
			continue
		}
		if m, rest, ok = parseMarker(data[begin+len(markerStart):]); ok {
			return m, rest, true
		}
	}
}

// parseMarker reads what stands behind "hb1.".
func parseMarker(p []byte) (m Marker, rest []byte, ok bool) {
	if len(p) < 8 {
		return m, nil, false
	}
	run, ok := parseHex8(p[:8])
	if !ok {
		return m, nil, false
	}
	publisher, p, ok := field(p[8:], 'c', 1<<32-1)
	if !ok {
		return m, nil, false
	}
	seq, p, ok := field(p, 's', 1<<32-1)
	if !ok {
		return m, nil, false
	}
	due, p, ok := field(p, 't', 1<<63-1)
	if !ok || len(p) == 0 || p[0] != '.' {
		return m, nil, false
	}
	m = Marker{Run: RunID(run), Event: EventID{Publisher: uint32(publisher), Seq: uint32(seq)}, Due: int64(due)}
	return m, p[1:], true
}

// field reads ".<name><decimal>" with a value of at most limit, in at most 19 digits: so many do not overflow.
func field(p []byte, name byte, limit uint64) (value uint64, rest []byte, ok bool) {
	if len(p) < 3 || p[0] != '.' || p[1] != name {
		return 0, nil, false
	}
	p = p[2:]
	i := 0
	for ; i < len(p) && i < 19; i++ {
		digit := p[i] - '0'
		if digit > 9 {
			break
		}
		value = value*10 + uint64(digit)
	}
	return value, p[i:], i > 0 && value <= limit
}

const hexDigits = "0123456789abcdef"

func appendHex8(dst []byte, v uint32) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&15])
	}
	return dst
}

func parseHex8(p []byte) (v uint32, ok bool) {
	for _, b := range p {
		digit := b - '0'
		if digit > 9 {
			if digit = b - 'a' + 10; digit < 10 || digit > 15 {
				return 0, false
			}
		}
		v = v<<4 | uint32(digit)
	}
	return v, true
}

// AppendPayload appends the payload of a command: its marker, the text behind it, and "x" up to size bytes in all. A marker and
// a text that are longer are not cut.
func AppendPayload(dst []byte, m Marker, text string, size int) []byte {
	start := len(dst)
	dst = append(AppendMarker(dst, m), text...)
	for len(dst)-start < size {
		dst = append(dst, 'x')
	}
	return dst
}
