package scenarios

import (
	"strconv"

	"holobench/wire"
)

// Payload is what a command carries: the marker, then Text, then filler up to Size.
type Payload struct {
	Size int // in bytes, with all three
	Text string
}

// defaultPayload is the size of a payload of which the scenario says nothing, in bytes.
const defaultPayload = 200

// payload resolves a size, a text, or both.
func (r *resolver) payload(form *payloadForm) Payload {
	p := Payload{Size: form.Size.or(0), Text: form.Text.or("")}
	r.check(&form.Text, checkLiteral)
	least := max(minPayload, wire.MarkerMaxLen+len(p.Text))
	switch {
	case len(p.Text) > maxText:
		r.add(form.Text.at, form.Text.path+": the text has "+strconv.Itoa(len(p.Text))+" bytes, the limit is "+strconv.Itoa(maxText), "")
	case !form.Size.given() && !form.Text.given():
		p.Size = defaultPayload
	case !form.Size.usable():
		p.Size = least
	case p.Size < least:
		r.add(form.Size.at, form.Size.path+": "+strconv.Itoa(p.Size)+" bytes do not hold the marker and the text",
			"give it "+strconv.Itoa(least)+"B or more; the marker that names each event needs up to "+strconv.Itoa(wire.MarkerMaxLen))
	case p.Size > maxPayload:
		r.add(form.Size.at, form.Size.path+": "+strconv.Itoa(p.Size)+" bytes are more than the limit, "+strconv.Itoa(maxPayload), "")
	}
	return p
}
