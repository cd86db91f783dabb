package clients

import (
	"net/http"
	"net/url"
	"strconv"

	"holobench/wire/hologram"
)

// HologramApp is what a client has to know of an app of somebody's own on Hologram: which page it loads, and how its commands
// are worded.
type HologramApp struct {
	Page     Text // its path; it subscribes the client to what it will
	Module   string
	Command  Text // its name; nil = that of the message
	Target   string
	Params   []HologramParam
	Receipts bool // commands bear the receipts of the page
}

// HologramParam is one parameter of a command.
type HologramParam struct {
	Name  string
	Kind  hologram.Kind // of a bitstring, an atom, an integer or a float
	Value Text
}

// pageTarget is the page that a client loads.
func (p *hologramProtocol) pageTarget(channels []string) (string, error) {
	app := p.client.crowd.Own.App
	if app == nil {
		return hologramPagePath + "?" + url.Values{"channel": channels}.Encode(), nil
	}
	path, missing := app.Page(nil, func(dst []byte, name string) ([]byte, bool) {
		if name == "channel" && len(channels) > 0 {
			return append(dst, channels[0]...), true
		}
		return p.client.browser.name(dst, name)
	})
	if missing != "" {
		return "", &StepError{Where: "app.page", Missed: missing}
	}
	return string(path), nil
}

// cookiesOf takes over the cookies that came with a page, and returns the field Cookie of the requests behind it.
func (p *hologramProtocol) cookiesOf(cookies []*http.Cookie) (field string, kept bool) {
	b := p.client.browser
	if b == nil {
		return "", false
	}
	origin := p.client.crowd.origin()
	b.eat(origin, cookies)
	return b.cookie(origin), true
}

// word words a command for the app.
func (p *hologramPhrasing) word(app *HologramApp, m *Message, payload []byte) {
	names := &genericPhrasing{client: p.protocol.client}
	names.about(m, payload)
	text := func(t Text) string {
		out, _ := t(nil, names.name)
		return string(out)
	}
	c := hologram.Command{InstanceID: p.page.InstanceID, Module: app.Module, Name: m.Name, Target: app.Target}
	if app.Command != nil {
		c.Name = text(app.Command)
	}
	var params []hologram.Term
	for _, param := range app.Params {
		params = append(params, hologram.Atom(param.Name), termOf(param.Kind, text(param.Value)))
	}
	c.Params = hologram.Map(params...)
	if app.Receipts {
		c.Receipts = make([]string, 0, len(p.page.Receipts))
		for _, receipt := range p.page.Receipts {
			c.Receipts = append(c.Receipts, receipt.Token)
		}
	}
	p.body = hologram.AppendCommand(p.body[:0], c)
}

// termOf is a value of a type. What is none of a number stays the text that it is, for the server to judge.
func termOf(kind hologram.Kind, text string) hologram.Term {
	switch kind {
	case hologram.KindAtom:
		return hologram.Atom(text)
	case hologram.KindInteger:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return hologram.Int(n)
		}
	case hologram.KindFloat:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return hologram.Float(f)
		}
	case hologram.KindBitstring, hologram.KindList, hologram.KindTuple, hologram.KindMap:
	}
	return hologram.Text(text)
}
