package har

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holobench/wire/hologram"
)

// lastCommandOfHologram finds a command on the wire of Hologram: the last, since what was sent while the page was set up came first.
func lastCommandOfHologram(r *Recording) *exchange {
	for _, x := range slices.Backward(r.exchanges) {
		if x.method == "POST" && x.url.Path == hologram.CommandPath && x.good() {
			return x
		}
	}
	return nil
}

// hologram writes the files for an app on Hologram, whose wire is built in: what of it is the app's own.
func (d *deduction) hologram(x *exchange) (Files, error) {
	d.stream, d.command = x, x // all of it is at one place
	var chosen hologram.Command
	var text string
	for _, y := range d.recording.exchanges {
		if y.method != "POST" || y.url.Path != hologram.CommandPath || y.url.Host != x.url.Host {
			continue
		}
		c, err := hologram.ParseCommand([]byte(y.body))
		if err != nil {
			return Files{}, fmt.Errorf("request %d, a command of Hologram: %w; holobench speaks v0.9 to v0.11, see docs/protocols.md", y.number, err)
		}
		if param := d.spoken(y, &c); param != "" || text == "" {
			d.command, chosen, text = y, c, param
		}
	}
	document := d.pageOf()
	if document == nil {
		return Files{}, fmt.Errorf("%w: it has commands of Hologram, and not the page that they come from: open the developer tools before you load the page, then record again", ErrNoCommand)
	}
	p := new(page)
	p.comment(0, "Made from the recording "+shown(d.names.Recording)+" by holobench new --from: an app on Hologram, whose wire is built in. docs/protocols.md explains every key; "+
		"comments that begin with CHECK mark guesses.")
	p.line(0, "version: 1")
	p.line(0, "wire: hologram")
	p.line(0, "self_echo: reply")
	p.line(0, "app:")
	d.channelOfPage(document, chosen.Params)
	d.trace(document)
	path := d.phrase(document)
	for _, c := range path.checks {
		p.check(2, c)
	}
	p.line(2, "page: %s", scalar(path.url))
	p.line(2, "module: %s", scalar(asConstant(chosen.Module, asIs)))
	p.line(2, "command: %s", scalar(asConstant(chosen.Name, asIs)))
	p.line(2, "cid: %s", scalar(asConstant(chosen.Target, asIs)))
	d.writeParams(p, chosen.Params, text)
	if chosen.Receipts != nil {
		p.line(2, "sub_receipts: true")
	}
	parts := d.loginOf(document)
	files := d.scenario(&parts, d.names.Protocol, "", true)
	files.Protocol, files.Checks = p.b.String(), files.Checks+p.checks
	files.Found = []string{
		"wire: hologram, page " + shown(document.url.Path),
		"command: " + shown(chosen.Name) + " of " + shown(chosen.Module),
	}
	return files, nil
}

// spoken is the text among the parameters of a command that came back, in its own reply or by a stream; else the longest.
func (d *deduction) spoken(x *exchange, c *hologram.Command) string {
	longest := ""
	for _, value := range paramsOf(c.Params) {
		if value.Kind != hologram.KindBitstring || random(value.Text) && len(longest) > 0 {
			continue
		}
		if d.carries(x.answer, value.Text) || slices.ContainsFunc(d.recording.exchanges, func(s *exchange) bool { return d.hears(s, x, value.Text) }) {
			if appeal(&slot{value: value.Text}) >= appeal(&slot{value: longest}) && len(value.Text) > len(longest) {
				longest = value.Text
			}
		}
	}
	return longest
}

// paramsOf lists the values of a map.
func paramsOf(params hologram.Term) []hologram.Term {
	var values []hologram.Term
	for i := 1; i < len(params.Items); i += 2 {
		values = append(values, params.Items[i])
	}
	return values
}

// pageOf is the page that the command came from: the last before it in which an instance of Hologram stands.
func (d *deduction) pageOf() *exchange {
	var found *exchange
	for _, x := range d.recording.exchanges[:d.command.number-1] {
		if x.method == "GET" && x.url.Host == d.command.url.Host && (strings.Contains(x.answer, "instanceId") || found == nil && x.document() && x.answer == "") {
			found = x
		}
	}
	return found
}

// channelOfPage looks for what stands both in the address of the page and in the command.
func (d *deduction) channelOfPage(document *exchange, params hologram.Term) {
	for _, s := range document.slots() {
		if s.place == inHeader {
			continue
		}
		for _, value := range paramsOf(params) {
			if (value.Kind == hologram.KindBitstring || value.Kind == hologram.KindInteger) && value.Text == s.value {
				d.channel = s.value
				return
			}
		}
	}
}

// writeParams writes the parameters of a command, of which one is the text.
func (d *deduction) writeParams(p *page, params hologram.Term, text string) {
	if len(params.Items) == 0 {
		p.check(2, "the command has no parameters, so that no event can be told from another. Choose one with a text")
		return
	}
	if text == "" {
		p.check(2, "no text of the command was seen again; put ${payload} where the app passes it on")
	}
	p.line(2, "params:")
	for i := 0; i+1 < len(params.Items); i += 2 {
		key, value := params.Items[i].Text, params.Items[i+1]
		spelled := asConstant(value.Text, asIs)
		switch {
		case value.Kind == hologram.KindBitstring && value.Text == text && text != "":
			p.line(4, "%s: %s", scalar(key), scalar("${payload}"))
			continue
		case d.channel != "" && value.Text == d.channel && value.Kind != hologram.KindAtom:
			spelled = "${channel}"
		case value.Kind == hologram.KindFloat:
			spelled = strconv.FormatFloat(value.Float, 'g', -1, 64)
		}
		switch value.Kind {
		case hologram.KindBitstring:
			p.line(4, "%s: %s", scalar(key), scalar(spelled))
		case hologram.KindAtom:
			p.line(4, "%s: {atom: %s}", scalar(key), scalar(spelled))
		case hologram.KindInteger:
			p.line(4, "%s: {integer: %s}", scalar(key), scalar(spelled))
		case hologram.KindFloat:
			p.line(4, "%s: {float: %s}", scalar(key), scalar(spelled))
		default:
			p.check(4, "the parameter "+shown(key)+" is a "+value.Kind.String()+", which a protocol file cannot say; it was left out")
		}
	}
}

// loginOf puts what the page needs into the login.
func (d *deduction) loginOf(document *exchange) plan {
	for _, x := range d.recording.exchanges[:document.number-1] {
		if x.changes() && x.good() && !background(x) && x.url.Host == document.url.Host && len(d.needed) < maxSteps {
			d.need(x)
		}
	}
	slices.SortFunc(d.needed, func(a, b *need) int { return a.x.number - b.x.number })
	return plan{login: d.needed}
}
