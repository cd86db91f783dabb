package scenarios

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"holobench/internal/draw"
)

// Append appends what the value is in that turn. It allocates nothing when dst is large enough.
func (v *Value) Append(dst []byte, t Turn) []byte {
	if v.Kind == SequenceValue {
		return strconv.AppendInt(dst, v.From+v.To*(int64(t.Iteration)*int64(max(1, t.Clients))+int64(t.Client)), 10)
	}
	seed := v.seed(t)
	u := draw.Unit(seed)
	switch v.Kind {
	case IntValue:
		return strconv.AppendInt(dst, v.From+int64(v.rank(u, int(v.To-v.From)+1)), 10)
	case PickValue:
		return append(dst, v.pick(u)...)
	case UUIDValue:
		return appendUUID(dst, seed)
	case HexValue, TextValue:
		return v.appendText(dst, seed, v.Length.Whole(u))
	}
	return dst
}

// seed is from what all draws of the turn come.
func (v *Value) seed(t Turn) uint64 {
	name, group := draw.Name("value "+v.Name), draw.Name(t.Group)
	switch v.Per {
	case PerClient:
		return draw.Hash(t.Seed, name, group, key(t.Client))
	case PerUse:
		return draw.Hash(t.Seed, name, group, key(t.Client), draw.Name(t.Load), key(t.Iteration), 1+key(t.Use))
	default:
		return draw.Hash(t.Seed, name, group, key(t.Client), draw.Name(t.Load), key(t.Iteration))
	}
}

// rank draws one of n, from 0.
func (v *Value) rank(u float64, n int) int {
	if v.Zipf > 0 {
		z := v.ranks
		if z == nil { // a literal of Go
			z, _ = draw.NewZipf(min(max(1, n), maxRanks), v.Zipf)
		}
		return z.Rank(u) - 1
	}
	return min(int(u*float64(n)), n-1)
}

// pick draws one of the items.
func (v *Value) pick(u float64) string {
	if len(v.Items) == 0 {
		return ""
	}
	if v.Zipf > 0 {
		return v.Items[v.rank(u, len(v.Items))].Text
	}
	sum := 0.0
	for i := range v.Items {
		sum += v.Items[i].Share
		if u < sum {
			return v.Items[i].Text
		}
	}
	return v.Items[len(v.Items)-1].Text
}

// appendUUID appends a UUID of version 4.
func appendUUID(dst []byte, seed uint64) []byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], draw.Hash(seed, 1))
	binary.BigEndian.PutUint64(id[8:], draw.Hash(seed, 2))
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// appendText appends n characters: hexadecimal digits, or words of small letters with a space between them.
func (v *Value) appendText(dst []byte, seed uint64, n int) []byte {
	var bits uint64
	for i := range n {
		if i%12 == 0 {
			bits = draw.Hash(seed, 3, key(i))
		}
		if v.Kind == HexValue {
			dst = append(dst, hexDigits[bits&15])
		} else {
			dst = append(dst, letterOf(bits&31, i, n))
		}
		bits >>= 5
	}
	return dst
}

// letterOf makes a letter of 32 equally likely numbers; some of them are spaces, though none stands at an end of the text.
func letterOf(number uint64, i, n int) byte {
	switch {
	case number < 26:
		return 'a' + byte(number)
	case number < 30 || i == 0 || i == n-1:
		return "etaoin"[number-26]
	default:
		return ' '
	}
}
