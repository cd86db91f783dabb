package scenarios

import (
	"strconv"

	"holobench/wire"
)

// Payload is what a command carries: the marker, then Text, then filler up to its size.
type Payload struct {
	Size Amount // in bytes, with all three; see Bytes
	Text Template
}

// Bytes is the size that u makes for a payload whose text has that many bytes: never less than the marker and the text need,
// never more than the target takes.
func (p *Payload) Bytes(u float64, text int) int {
	return max(min(p.Size.Whole(u), maxPayload), minPayload, wire.MarkerMaxLen+text)
}

// defaultPayload is the size of a payload of which the scenario says nothing, in bytes.
const defaultPayload = 200

// payload resolves a size, a text, or both.
func (r *resolver) payload(form *payloadForm) Payload {
	p := Payload{Size: Exactly(float64(form.Size.or(0))), Text: Literal(form.Text.or(""))}
	r.check(&form.Text, checkLiteral)
	text := len(form.Text.v)
	least := max(minPayload, wire.MarkerMaxLen+text)
	switch size := form.Size.v; {
	case text > maxText:
		r.add(form.Text.at, form.Text.path+": the text has "+strconv.Itoa(text)+" bytes, the limit is "+strconv.Itoa(maxText), "")
	case !form.Size.given() && !form.Text.given():
		p.Size = Exactly(defaultPayload)
	case !form.Size.usable():
		p.Size = Exactly(float64(least))
	case size < least:
		r.add(form.Size.at, form.Size.path+": "+strconv.Itoa(size)+" bytes do not hold the marker and the text",
			"give it "+strconv.Itoa(least)+"B or more; the marker that names each event needs up to "+strconv.Itoa(wire.MarkerMaxLen))
	case size > maxPayload:
		r.add(form.Size.at, form.Size.path+": "+strconv.Itoa(size)+" bytes are more than the limit, "+strconv.Itoa(maxPayload), "")
	}
	return p
}
