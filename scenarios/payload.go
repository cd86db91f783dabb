package scenarios

import (
	"strconv"

	"holobench/internal/draw"
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

// payload resolves a size, a text, or both. What is not known of the length of the text is not looked at: Bytes makes room for it.
func (r *resolver) payload(form *payloadForm, words *vocabulary) Payload {
	p := Payload{Size: Exactly(defaultPayload)}
	if len(form.Text.v) > maxText {
		r.add(form.Text.at, form.Text.path+": the text has "+strconv.Itoa(len(form.Text.v))+" bytes, the limit is "+strconv.Itoa(maxText), "make it shorter; payload.size fills a payload up")
	} else {
		p.Text = r.fill(&form.Text, words)
	}
	text, constant := p.Text.Constant()
	if !constant {
		text = ""
	}
	least := max(minPayload, wire.MarkerMaxLen+len(text))
	if form.Text.given() && !form.Size.given() {
		p.Size = Exactly(float64(least))
	}
	before := len(r.list)
	p.Size = r.amount(&form.Size, sizes(maxPayload), p.Size)
	span := p.Size.Kind == draw.KindConstant || p.Size.Kind == draw.KindUniform
	if size := p.Size.Least(); len(r.list) == before && form.Size.usable() && span && size < float64(least) {
		r.add(form.Size.place(), form.Size.path+": "+strconv.FormatFloat(size, 'f', -1, 64)+" bytes do not hold the marker and the text",
			"give it "+strconv.Itoa(least)+"B or more; the marker that names each event needs up to "+strconv.Itoa(wire.MarkerMaxLen))
	}
	return p
}

// payloadWords are what the text of the payload of a load knows.
func (r *resolver) payloadWords(l *Load, clients []Clients) *vocabulary {
	c, ok := group(clients, l.By)
	if !ok {
		return &vocabulary{} // of a flood nobody in particular sends it
	}
	return &vocabulary{names: append(r.clientWords(c), "iteration", "seq"), clients: l.Only}
}
