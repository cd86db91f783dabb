package wire

import (
	"bytes"
	"strconv"
)

// Marking is how a marker is spelled. Where an app takes no text of ours but an id of a certain kind, the name of the event is
// put into that id. Such a marker says neither when the event was due nor, for sure, of which run it is: whoever finds one must
// ask the publisher that it names.
type Marking string

// The markings.
const (
	MarkText  Marking = "text"  // as AppendMarker writes it, for any text
	MarkUUID  Marking = "uuid"  // a UUID of version 8: run, publisher, and the number of the command
	MarkInt53 Marking = "int53" // an integer that JavaScript holds exactly: 12 bits of the run, 17 of the publisher, 24 of the number
	MarkHex16 Marking = "hex16" // 16 hexadecimal digits: 20 bits of the run, 20 of the publisher, 24 of the number
)

// The most that a marking can name.
const (
	maxMarkedSeq       = 1<<24 - 1 // of MarkInt53 and MarkHex16
	maxMarkedPublisher = 1<<17 - 1 // of MarkInt53
)

// AppendMark appends m in its spelling. Numbers that do not fit it lose their upper bits, so that nobody finds the event.
func AppendMark(dst []byte, by Marking, m Marker) []byte {
	publisher, seq := uint64(m.Event.Publisher), uint64(m.Event.Seq)
	switch by {
	case MarkUUID:
		dst = append(appendHex8(dst, uint32(m.Run)), '-')
		tail := appendHex8(nil, m.Event.Publisher)
		dst = append(append(dst, tail[:4]...), "-8"...)
		dst = append(append(dst, tail[4:7]...), "-b"...)
		dst = append(append(dst, tail[7], '0', '0', '-'), "686231"...) // variant 2, then "hb1" in hexadecimal
		return appendHex(dst, seq&maxMarkedSeq, 6)
	case MarkInt53:
		return strconv.AppendUint(dst, tagOf(m.Run, 12)<<41|publisher&maxMarkedPublisher<<24|seq&maxMarkedSeq, 10)
	case MarkHex16:
		return appendHex(dst, tagOf(m.Run, 20)<<44|publisher&(1<<20-1)<<24|seq&maxMarkedSeq, 16)
	case MarkText:
	}
	return AppendMarker(dst, m)
}

// tagOf are the lower bits of a run's id; the highest of them is set, so that all marks of a marking have one length.
func tagOf(run RunID, bits int) uint64 { return uint64(run)&(1<<(bits-1)-1) | 1<<(bits-1) }

// FindMark returns the first event of that run that data names in this spelling, and what follows it. It allocates nothing.
func FindMark(data []byte, by Marking, run RunID) (id EventID, rest []byte, ok bool) {
	for i := 0; i < len(data); i++ {
		if !inMark(data[i], by) {
			continue
		}
		end := i
		for end < len(data) && inMark(data[end], by) {
			end++
		}
		if id, ok = readMark(data[i:end], by, run); ok {
			return id, data[end:], true
		}
		i = end
	}
	return EventID{}, nil, false
}

// inMark reports whether b can be part of a mark: what stands between others ends a word.
func inMark(b byte, by Marking) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-' && by == MarkUUID
}

// readMark reads a word that is a mark, and nothing else.
func readMark(word []byte, by Marking, run RunID) (EventID, bool) {
	switch by {
	case MarkUUID:
		return readUUID(word, run)
	case MarkInt53:
		n, ok := decimal(word)
		return marked(n, 17), ok && n>>41 == tagOf(run, 12)
	case MarkHex16:
		n, ok := hexadecimal(word)
		return marked(n, 20), ok && len(word) == 16 && n>>44 == tagOf(run, 20)
	case MarkText:
	}
	return EventID{}, false
}

// marked takes publisher and number out of a mark.
func marked(n uint64, publisherBits int) EventID {
	return EventID{Publisher: uint32(n >> 24 & (1<<publisherBits - 1)), Seq: uint32(n & maxMarkedSeq)}
}

// readUUID reads what AppendMark writes for MarkUUID; servers may spell it in capitals.
func readUUID(word []byte, run RunID) (EventID, bool) {
	if len(word) != 36 || word[8] != '-' || word[13] != '-' || word[18] != '-' || word[23] != '-' {
		return EventID{}, false
	}
	var digits [32]byte
	copyHex(digits[:], word)
	parse := func(from, to int) uint64 {
		n, _ := hexadecimal(digits[from:to])
		return n
	}
	if _, ok := hexadecimal(digits[:16]); !ok {
		return EventID{}, false
	}
	if _, ok := hexadecimal(digits[16:]); !ok {
		return EventID{}, false
	}
	fixed := digits[12] == '8' && digits[16] == 'b' && string(digits[18:26]) == "00686231"
	id := EventID{Publisher: uint32(parse(8, 12)<<16 | parse(13, 16)<<4 | parse(17, 18)), Seq: uint32(parse(26, 32))}
	return id, fixed && parse(0, 8) == uint64(run)
}

// copyHex copies the hexadecimal digits of a UUID in small letters.
func copyHex(dst, word []byte) {
	i := 0
	for _, b := range word {
		if b == '-' || i == len(dst) {
			continue
		}
		if b >= 'A' && b <= 'F' {
			b += 'a' - 'A'
		}
		dst[i] = b
		i++
	}
}

// decimal reads an unsigned number without a leading zero.
func decimal(word []byte) (n uint64, ok bool) {
	if len(word) == 0 || len(word) > 16 || word[0] == '0' {
		return 0, false
	}
	for _, b := range word {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = n*10 + uint64(b-'0')
	}
	return n, true
}

// hexadecimal reads up to 16 digits, in small or capital letters.
func hexadecimal(word []byte) (n uint64, ok bool) {
	if len(word) == 0 || len(word) > 16 {
		return 0, false
	}
	for _, b := range word {
		if b >= 'A' && b <= 'F' {
			b += 'a' - 'A'
		}
		digit := bytes.IndexByte([]byte(hexDigits), b)
		if digit < 0 {
			return 0, false
		}
		n = n<<4 | uint64(digit)
	}
	return n, true
}

// appendHex appends the lower digits of a number.
func appendHex(dst []byte, n uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[n>>shift&15])
	}
	return dst
}
