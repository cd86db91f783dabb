package hologram

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// EventModule and EventTarget stand in the commands of holobench's own clients: the module that handles an event, and
// the component that gets its action.
const (
	EventModule = "Elixir.Holobench.Page"
	EventTarget = "page"
)

// Event is one broadcast of holobench. Its fields are those of the event in package wire, so that one converts to the other:
// neither knows the other, because they stand on one floor.
type Event struct {
	Channel string
	Name    string
	Payload string
	Seq     uint64 // its number in the channel; 0 = it has none
	Key     string // of what it is the new value; "" = of nothing in particular
}

// EventCommand asks for an event. Its fields are those of the command in package wire; see Event.
type EventCommand struct {
	Instance string
	Channel  string
	Name     string
	Payload  string

	Key  string
	ID   string
	Base *uint64
}

// EventTerm is e as it travels down the stream: {name, %{channel: …, payload: …}, ["page"]}. A key and a number are
// params as well, when the event has them.
func EventTerm(e Event) Term {
	return Tuple(Atom(e.Name), eventParams(e), List(Text(EventTarget)))
}

// ActionTerm is e as its own sender learns of it, in the self-echoes of the reply.
func ActionTerm(e Event) Term {
	return Map(
		Atom("__struct__"), Atom("Elixir.Hologram.Component.Action"),
		Atom("delay"), Int(0),
		Atom("name"), Atom(e.Name),
		Atom("params"), eventParams(e),
		Atom("target"), Text(EventTarget),
	)
}

// eventParams are those of e, their keys sorted.
func eventParams(e Event) Term {
	items := []Term{Atom("channel"), Text(e.Channel)}
	if e.Key != "" {
		items = append(items, Atom("key"), Text(e.Key))
	}
	items = append(items, Atom("payload"), Text(e.Payload))
	if e.Seq != 0 {
		items = append(items, Atom("seq"), Term{Kind: KindInteger, Text: strconv.FormatUint(e.Seq, 10)})
	}
	return Map(items...)
}

// ParseEvent reads an event from what EventTerm or ActionTerm returned, or an app has sent in its place: the params must
// have a text called payload. Channel, key and seq may be missing, or be something else there. Who it is for is not looked
// at.
func ParseEvent(t Term) (Event, error) {
	name, params := Term{Kind: KindList}, Term{}
	switch {
	case t.Kind == KindTuple && len(t.Items) == 3:
		name, params = t.Items[0], t.Items[1]
	case t.Kind == KindMap:
		if value, ok := t.Get("name"); ok {
			name = value
		}
		params, _ = t.Get("params")
	}
	payload, ok := params.text("payload")
	if !ok || name.Kind != KindAtom {
		return Event{}, errors.New("reading an event: it is no broadcast or action with a text called payload in its params")
	}
	e := Event{Name: name.Text, Payload: payload}
	e.Channel, _ = params.text("channel")
	e.Key, _ = params.text("key")
	if seq, ok := params.Get("seq"); ok {
		e.Seq, _ = number(seq)
	}
	return e, nil
}

// number returns the value of an integer from 0 to what 64 bits hold, and else 0.
func number(t Term) (uint64, error) {
	if err := is(t, KindInteger); err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(t.Text, 10, 64)
	if err != nil {
		return 0, errors.New("found an integer that is negative, or needs more than 64 bits")
	}
	return n, nil
}

// AppendBroadcast appends e to dst as the data of an event named Broadcast: what AppendExpression writes of EventTerm, without
// an allocation.
func AppendBroadcast(dst []byte, e Event) []byte {
	dst = append(dst, tupleStart...)
	dst = appendLiteral(dst, e.Name)
	dst = appendParams(append(dst, "), "...), e)
	return append(dst, `, Type.list([Type.bitstring("`+EventTarget+`")])])`...)
}

const (
	tupleStart  = `Type.tuple([Type.atom(`
	paramsStart = `Type.map([[Type.atom("channel"), Type.bitstring(`
)

// appendParams appends the params of e.
func appendParams(dst []byte, e Event) []byte {
	dst = append(dst, paramsStart...)
	dst = appendLiteral(dst, e.Channel)
	if e.Key != "" {
		dst = append(dst, `)], [Type.atom("key"), Type.bitstring(`...)
		dst = appendLiteral(dst, e.Key)
	}
	dst = append(dst, `)], [Type.atom("payload"), Type.bitstring(`...)
	dst = appendLiteral(dst, e.Payload)
	if e.Seq != 0 {
		dst = append(dst, `)], [Type.atom("seq"), Type.integer(`...)
		dst = append(strconv.AppendUint(dst, e.Seq, 10), 'n')
	}
	return append(dst, `)]])`...)
}

// ParseBroadcast reads the data of an event named Broadcast; see ParseEvent.
func ParseBroadcast(data []byte) (Event, error) {
	t, err := ParseExpression(data)
	if err != nil {
		return Event{}, fmt.Errorf("reading a broadcast: %w", err)
	}
	return ParseEvent(t)
}

// BroadcastChannel returns the channel in the data of an event named Broadcast, without decoding the rest of it. What
// AppendBroadcast wrote costs nothing: the channel aliases data, unless an escape in it has to be undone. Others are
// decoded. ok is false when data has no channel; what follows that of an event that begins as ours do is not looked at.
func BroadcastChannel(data []byte) (channel []byte, ok bool) {
	if rest, found := bytes.CutPrefix(data, []byte(tupleStart+`"`)); found {
		rest = rest[stringEnd(rest):]
		if rest, found = bytes.CutPrefix(rest, []byte(`"), `+paramsStart+`"`)); found {
			if end := bytes.IndexByte(rest, '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
				return rest[:end], true
			}
		}
	}
	t, err := ParseExpression(data)
	if err != nil || t.Kind != KindTuple || len(t.Items) != 3 {
		return nil, false
	}
	text, ok := t.Items[1].text("channel")
	return []byte(text), ok
}

// Command is c as a client of holobench sends it. Base, id and key are params as well, when c has them.
func (c EventCommand) Command() Command {
	var items []Term
	if c.Base != nil {
		items = append(items, Atom("base"), Term{Kind: KindInteger, Text: strconv.FormatUint(*c.Base, 10)})
	}
	items = append(items, Atom("channel"), Text(c.Channel))
	if c.ID != "" {
		items = append(items, Atom("id"), Text(c.ID))
	}
	if c.Key != "" {
		items = append(items, Atom("key"), Text(c.Key))
	}
	items = append(items, Atom("payload"), Text(c.Payload))
	return Command{InstanceID: c.Instance, Module: EventModule, Name: c.Name, Params: Map(items...), Target: EventTarget}
}

// AppendEventCommand appends the body of the POST that sends c: what AppendCommand writes of its Command, without an
// allocation.
func AppendEventCommand(dst []byte, c EventCommand) []byte {
	dst = appendCommandStart(dst, c.Instance, EventModule, c.Name)
	dst = append(dst, `{"t":"m","d":[`...)
	if c.Base != nil {
		dst = append(dst, `["abase","i`...)
		dst = strconv.AppendUint(dst, *c.Base, 10)
		dst = append(dst, `"],`...)
	}
	dst = appendTextParam(dst, `["achannel","`, c.Channel)
	if c.ID != "" {
		dst = appendTextParam(dst, `,["aid","`, c.ID)
	}
	if c.Key != "" {
		dst = appendTextParam(dst, `,["akey","`, c.Key)
	}
	dst = appendTextParam(dst, `,["apayload","`, c.Payload)
	return appendCommandEnd(append(dst, `]}`...), EventTarget)
}

// appendTextParam appends a pair of params whose value is text.
func appendTextParam(dst []byte, key, value string) []byte {
	dst = append(dst, key...)
	dst = appendHex(dst, value)
	return append(dst, `"]`...)
}

// ParseEventCommand reads the body of a POST that is to send an event, strictly: a command, whatever its module, whose params
// are those of an EventCommand. A payload, and a channel that is not empty, must be among them.
func ParseEventCommand(body []byte) (EventCommand, error) {
	c, err := ParseCommand(body)
	if err != nil {
		return EventCommand{}, err
	}
	event := EventCommand{Instance: c.InstanceID, Name: c.Name}
	hasPayload := false
	for i := 0; i+1 < len(c.Params.Items) && err == nil; i += 2 {
		key, value := c.Params.Items[i], c.Params.Items[i+1]
		text := is(value, KindBitstring)
		switch {
		case key.Kind != KindAtom:
			err = is(key, KindAtom)
		case key.Text == "base":
			var base uint64
			base, err = number(value)
			event.Base = &base
		case key.Text == "channel":
			event.Channel, err = value.Text, text
		case key.Text == "id":
			event.ID, err = value.Text, text
		case key.Text == "key":
			event.Key, err = value.Text, text
		case key.Text == "payload":
			event.Payload, hasPayload, err = value.Text, true, text
		default:
			err = errors.New("a command that sends an event has no such param")
		}
		if err != nil {
			err = fmt.Errorf("reading a command: its param %.32q: %w", key.Text, err)
		}
	}
	if err == nil && (!hasPayload || event.Channel == "") {
		err = errors.New("reading a command: its params must have a payload, and a channel that is not empty")
	}
	if err != nil {
		return EventCommand{}, err
	}
	return event, nil
}

// AppendEventReply appends the body that answers the command of e: an action called sent, and e as the only self-echo when
// the sender is itself subscribed. It is what AppendReply writes of that, without an allocation.
func AppendEventReply(dst []byte, e Event, echo bool) []byte {
	dst = append(dst, `{"action":"`...)
	start := len(dst)
	dst = appendActionStart(dst, "sent")
	dst = append(dst, "Type.map([])"...)
	dst = escapeTail(append(dst, actionEnd...), start, jsonEscapes())
	dst = append(dst, `","selfEchoes":"`...)
	start = len(dst)
	dst = append(dst, "Type.list(["...)
	if echo {
		dst = appendActionStart(dst, e.Name)
		dst = appendParams(dst, e)
		dst = append(dst, actionEnd...)
	}
	dst = escapeTail(append(dst, "])"...), start, jsonEscapes())
	return appendReplyEnd(dst, 1, noneExpression, noneExpression)
}

const (
	actionStart = `Type.map([[Type.atom("__struct__"), Type.atom("Elixir.Hologram.Component.Action")], [Type.atom("delay"), Type.integer(0n)], [Type.atom("name"), Type.atom(`
	actionEnd   = `], [Type.atom("target"), Type.bitstring("` + EventTarget + `")]])`
)

// appendActionStart appends an action up to its params.
func appendActionStart(dst []byte, name string) []byte {
	dst = append(dst, actionStart...)
	dst = appendLiteral(dst, name)
	return append(dst, `)], [Type.atom("params"), `...)
}

// ParseSelfEchoes reads the echoes of a reply as events, in their order. An app whose actions bear other params than
// channel and payload is read by markers: see ReplyEchoes.
func ParseSelfEchoes(expression []byte) ([]Event, error) {
	t, err := ParseExpression(expression)
	if err == nil {
		err = is(t, KindList)
	}
	if err != nil {
		return nil, fmt.Errorf("reading self-echoes: %w", err)
	}
	events := make([]Event, len(t.Items))
	for i, item := range t.Items {
		if events[i], err = ParseEvent(item); err != nil {
			return nil, fmt.Errorf("reading self-echoes: %w", err)
		}
	}
	return events, nil
}
