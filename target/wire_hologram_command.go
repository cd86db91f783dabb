package target

import (
	"net/http"

	"holobench/wire"
	"holobench/wire/hologram"
)

// serveCommand answers a POST of the command path: the event is handed out first, and the reply, with what the sender itself
// hears of it, is written then.
func (n *hologramNode) serveCommand(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		refuseMethod(w, r, http.MethodPost)
		return
	}
	n.counters.Add(CommandsReceived, 1)
	var result published
	cmd, refused := n.readHologramCommand(w, r)
	if refused == nil {
		result, refused = n.publish(r.Context(), publication{
			event:  wire.Event{Channel: cmd.Channel, Name: cmd.Name, Payload: cmd.Payload},
			sender: cmd.Instance, key: cmd.Key,
		})
	}
	if refused != nil {
		n.counters.Add(CommandsRejected, 1)
		refused.write(w)
		return
	}
	n.counters.Add(CommandsAccepted, 1)
	scratch := n.scratch.get()
	defer n.scratch.put(scratch)
	*scratch = hologram.AppendEventReply(*scratch, hologram.Event(result.event), result.echo)
	echoes := 0
	if result.echo {
		echoes = 1
	}
	if n.writeReply(w, http.StatusOK, *scratch) {
		n.counters.Add(DeliveriesWrittenReply, echoes)
	}
}

// readHologramCommand reads and checks the body of r, in Hologram's order: who may send at all, what is sent, whose instance
// it is, and who handles it. Its app has one module, which has a command for each name that checkName takes.
func (n *hologramNode) readHologramCommand(w http.ResponseWriter, r *http.Request) (wire.Command, *refusal) {
	session, ok := n.session(r)
	tokens := r.Header.Values(hologram.CSRFHeader)
	if !ok || len(tokens) != 1 || !n.seals.checkCSRF(session, tokens[0]) {
		return wire.Command{}, refuse(http.StatusForbidden, "Forbidden")
	}
	body, refused := n.readTerm(w, r)
	if refused != nil {
		return wire.Command{}, refused
	}
	cmd, err := hologram.ParseCommand(body)
	switch {
	case err != nil:
		return wire.Command{}, refuseTerm(body, err)
	case !n.seals.owns(session, cmd.InstanceID):
		return wire.Command{}, refuse(http.StatusForbidden, "Forbidden")
	case cmd.Receipts != nil:
		return wire.Command{}, refuse(http.StatusInternalServerError, "Hologram v0.9 to v0.11 know no sub_receipts")
	case cmd.Module != hologram.EventModule:
		return wire.Command{}, refuse(http.StatusInternalServerError, "the only module here is %s", hologram.EventModule)
	case n.checkName("name", cmd.Name) != nil:
		return wire.Command{}, refuse(http.StatusInternalServerError, "%s has no such command", hologram.EventModule)
	}
	event, err := hologram.ParseEventCommand(body) // again, but now as that command's own params
	if err != nil {
		return wire.Command{}, refuse(http.StatusInternalServerError, "%v", err)
	}
	return wire.Command(event), n.checkCommand(wire.Command(event))
}
