package scenarios

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// protocolFile reads the protocol file that a scenario names, by the same rules and limits as the scenario itself. What is
// wrong with it is reported in its own lines.
func (a *adapter) protocolFile(form *text) Protocol {
	path := form.v
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(a.file), path)
	}
	source, err := readText(path)
	if err != nil {
		a.add(form.at, form.path+": "+err.Error(), "its path counts from where the scenario is")
		return Protocol{Wire: JSONWire}
	}
	inner := &adapter{resolver: &resolver{faults: new(faults), env: a.env, file: path}, scope: scope{names: a.names}}
	p := inner.parseProtocol(source)
	p.File = path
	a.secret = append(a.secret, inner.secret...)
	if errs, ok := errors.AsType[Errors](inner.errors(path, hideHeaders(source))); ok {
		a.others = append(a.others, errs...)
	}
	return p
}

// allErrors are those of a file and of the files that it names.
func (r *resolver) allErrors(file, text string) error {
	err := r.errors(file, text)
	if len(r.others) == 0 {
		return err
	}
	own, _ := errors.AsType[Errors](err)
	return append(own, r.others...)
}

// readText reads a file that belongs to a scenario.
func readText(path string) (string, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no file %s", quote(path))
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file", quote(path))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1)) // one more, so that checkText sees that it is too long
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

// parseProtocol reads the text of a protocol file.
func (a *adapter) parseProtocol(source string) Protocol {
	failed := Protocol{Wire: JSONWire}
	if !checkText(source, a.faults) {
		return failed
	}
	root := parseYAML(source, a.faults)
	if root == nil || !checkVersion(root, a.faults) {
		return failed
	}
	form := new(protocolForm)
	d := &decoder{a.faults}
	d.decode(root, root, form, "")
	if root.kind != mappingNode {
		return failed
	}
	if !form.broken {
		a.require(&form.Version.spot, &form.spot, "version", "begin the file with \"version: 1\"")
	}
	p := a.resolveProtocol(form)
	p.Text = maskValues(source, form.inClear(), keepNothing)
	return p
}

// resolveProtocol checks what a protocol file says.
func (a *adapter) resolveProtocol(form *protocolForm) Protocol {
	p := Protocol{
		Wire:     a.oneOf(&form.Wire, GenericWire, []string{GenericWire, JSONWire, HologramWire, LongPollWire, ChannelsWire}),
		SelfEcho: a.oneOf(&form.SelfEcho, "", []string{EchoReply, EchoStream, EchoNone}),
	}
	for name, promise := range map[string]*text{FIFO: &form.Promises.FIFO, Total: &form.Promises.Total, Broadcast: &form.Promises.Broadcast} {
		if promise.usable() {
			if p.Promises == nil {
				p.Promises = make(map[string]string)
			}
			p.Promises[name] = promise.v
		}
	}
	if form.App.given() {
		if p.Wire == HologramWire {
			p.App = a.app(&form.App)
		} else {
			a.add(form.App.at, "app is about one on Hologram, and the wire is "+p.Wire, "write wire: "+HologramWire+", or leave it out")
		}
	}
	own := []*spot{&form.Vars.spot, &form.JWT.spot, &form.Cookies.spot, &form.Setup.spot, &form.Subscribe.spot, &form.Events.spot, &form.Publish.spot, &form.Identity.spot}
	if p.Wire == GenericWire {
		p.Generic = a.generic(form)
		return p
	}
	for _, key := range own {
		if key.given() {
			a.add(key.at, key.path+" belongs to the wire "+GenericWire+", and the wire is "+p.Wire, "leave one of them out")
		}
	}
	return p
}

// app resolves what a client has to know of an app on Hologram.
func (a *adapter) app(form *appForm) *App {
	a.require(&form.Page.spot, &form.spot, "page", "name the page that a client loads: page: /rooms/${channel}")
	a.require(&form.Module.spot, &form.spot, "module", "name the module that takes the commands: module: Elixir.Chat.RoomPage")
	app := &App{Page: a.template(&form.Page), Module: form.Module.or(""), Target: form.CID.or("page"), Receipts: form.SubReceipts.or(false)}
	a.sends = true
	defer func() { a.sends = false }()
	app.Command = a.template(&form.Command)
	if form.Page.usable() && !strings.HasPrefix(form.Page.v, "/") {
		a.add(form.Page.at, form.Page.path+": "+quote(form.Page.v)+" is no path", "begin it with /")
	}
	for _, e := range form.Params.list {
		app.Params = append(app.Params, a.param(e))
	}
	if form.Params.given() && !strings.Contains(paramsText(app.Params), "payload") && !strings.Contains(paramsText(app.Params), "marker") {
		a.add(form.Params.at, form.Params.path+": no param has the payload, so that no event could be recognised", `put it where the app passes it on: {text: "${payload}"}`)
	}
	return app
}

func paramsText(params []Param) string {
	var all strings.Builder
	for i := range params {
		all.WriteString(params[i].Value.Text + "\n")
	}
	return all.String()
}

// param resolves one parameter of a command.
func (a *adapter) param(e *namedEntry[paramForm]) Param {
	p := Param{Name: e.name, Type: ParamText}
	var value *text
	for _, of := range []struct {
		kind  string
		value *text
	}{{ParamText, &e.form.Text}, {ParamAtom, &e.form.Atom}, {ParamInteger, &e.form.Integer}, {ParamFloat, &e.form.Float}} {
		switch {
		case !of.value.given():
		case value != nil:
			a.add(of.value.at, e.form.path+": one param has one type", "leave one of them out")
		default:
			p.Type, value = of.kind, of.value
		}
	}
	if value == nil {
		a.require(&e.form.Text.spot, &e.form.spot, "text", `write its value: "${payload}", or {integer: "${n}"}; also atom and float`)
		return p
	}
	p.Value = a.template(value)
	return p
}
