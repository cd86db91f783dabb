package scenarios

// Broadcast is a promise: every event of a channel goes to all its subscribers.
const Broadcast = "broadcast"

// identity resolves how a client knows which command an event comes from.
func (a *adapter) identity(form *identityForm, g *Generic) Identity {
	id := Identity{Form: a.oneOf(&form.Marker, MarkerText, []string{MarkerText, MarkerUUID, MarkerInt53, MarkerHex16})}
	if id.Form == MarkerInt53 && g.Events.Payload.whole() {
		a.add(form.Marker.at, form.Marker.path+": any number could be one", "say where it stands: events: {message: {payload: {json: bid.id}}}")
	}
	a.serverSeq(&form.ServerSeq, &id)
	if form.Foreign.given() {
		id.Foreign = a.eventName(&form.Foreign)
	}
	if form.ReplyID.given() {
		a.replyID(&form.ReplyID, g, &id)
	}
	a.ids(form, g.Subscribe.Framing)
	return id
}

// ids refuses the ids of events where no framing brings any.
func (a *adapter) ids(form *identityForm, framing string) {
	if framing != FrameNDJSON && framing != FrameLongPoll {
		return
	}
	for _, word := range []*text{&form.ReplyID.Event.word, &form.Foreign.word, &form.ServerSeq.word} {
		if word.usable() && word.v == "sse_id" {
			a.add(word.at, word.path+": only server-sent events have an id, and the framing is "+framing, "say where it stands in the data: {json: id}")
		}
	}
}

// raw refuses what bytes without messages have not.
func (a *adapter) raw(form *protocolForm, marker string) {
	id := &form.Identity
	if marker != MarkerText {
		a.add(id.Marker.at, id.Marker.path+": framing: raw finds markers of the form text only, which end in a dot", "leave it out")
	}
	for _, key := range []*spot{
		&id.ReplyID.spot, &id.Foreign.spot, &id.ServerSeq.spot, &form.Subscribe.Ready.spot, &form.Events.spot, &form.Publish.Reply.Stream.spot,
	} {
		if key.given() {
			a.add(key.at, key.path+": framing: raw knows no events, only the markers in the bytes", "leave it out, or say how events are told apart: framing: ndjson")
		}
	}
}

// serverSeq resolves the server's own numbers.
func (a *adapter) serverSeq(form *numberForm, id *Identity) {
	if !form.given() {
		return
	}
	picked := selectorForm{spot: form.spot, word: form.word, JSON: form.JSON, Regex: form.Regex}
	id.Sequence = a.selector(&picked, "sse_id")
	id.SequenceID = form.word.given()
	id.Check = a.oneOf(&form.Check, CheckNone, []string{CheckNone, CheckIncreasing, CheckGapless})
	id.PerStream = a.oneOf(&form.Scope, "channel", []string{"channel", "stream"}) == "stream"
	if form.Scope.given() && id.Check == CheckNone {
		a.add(form.Scope.at, form.Scope.path+": nothing is held against these numbers", "write check: gapless or check: increasing, or leave it out")
	}
}

// eventName resolves where an event has a name of the server's.
func (a *adapter) eventName(form *selectorForm) *EventName {
	n := &EventName{By: a.selector(form, "sse_id", "data")}
	if form.word.given() {
		n.ID, n.Data = form.word.v == "sse_id", form.word.v == "data"
	}
	if form.Header.given() {
		a.add(form.Header.at, form.Header.path+": an event has no header fields", "write json, regex, sse_id or data")
	}
	return n
}

// replyID resolves by what replies and events are joined.
func (a *adapter) replyID(form *replyIDForm, g *Generic, id *Identity) {
	a.require(&form.Reply.spot, &form.spot, "reply", "name what publish.reply.capture keeps of the answer: reply: id")
	a.require(&form.Event.spot, &form.spot, "event", "say where the event has the same: event: {json: id}, or event: sse_id")
	id.Event = a.eventName(&form.Event)
	if g.Publish == nil {
		a.add(form.at, form.path+": nobody can send, so that there are no replies", "write publish, or name events by identity.foreign")
		return
	}
	if !form.Reply.usable() {
		return
	}
	var names []string
	for i := range g.Publish.Reply.Capture {
		c := &g.Publish.Reply.Capture[i]
		names = append(names, c.Name)
		if c.Name == form.Reply.v {
			id.Reply = &c.By
		}
	}
	switch {
	case id.Reply == nil:
		a.add(form.Reply.at, form.Reply.path+": publish.reply.capture keeps nothing under the name "+quote(form.Reply.v)+suggest(form.Reply.v, names),
			"write publish: {reply: {capture: {"+form.Reply.v+": {json: id}}}}")
	case id.Reply.Header != "":
		a.add(form.Reply.at, form.Reply.path+": "+quote(form.Reply.v)+" is that of a header field, and a reply is looked into for what its body says", "say where the body has it: {json: id}")
	}
	if g.Publish.Reply.Framing != "" {
		a.add(form.at, form.path+": an answer of the framing "+g.Publish.Reply.Framing+" is not looked into", "leave publish.reply.framing out")
	}
}

// answer resolves publish.reply.stream.
func (a *adapter) answer(form *replyForm) *Answer {
	s := &form.Stream
	if !s.given() {
		return nil
	}
	a.require(&s.Is.spot, &s.spot, "is", `say what stands there, which the command must have sent along: is: "${seq}"`)
	a.sends = true
	answer := &Answer{By: a.selector(&selectorForm{spot: s.spot, JSON: s.JSON, Regex: s.Regex}), Is: a.template(&s.Is)}
	a.sends = false
	if form.Framing.given() {
		a.add(form.Framing.at, form.Framing.path+": the reply comes on the stream, so that nobody looks into the answer to the request", "leave one of them out")
	}
	return answer
}
