package scenarios

// to resolves the clients to whose channels a load sends.
func (r *resolver) to(form *loadForm, l *Load, clients []Clients) {
	to := &form.To
	if !to.given() {
		return
	}
	if form.Channel.given() {
		r.add(to.at, to.path+" stands beside channel, and both say where the commands go", "keep one of the two")
	}
	if to.Which.given() {
		r.require(&to.Clients.spot, &to.spot, "clients", "name the clients to whose channels is sent: {clients: users, which: any}")
	}
	l.To = r.target(to, clients)
}

// target resolves a To.
func (r *resolver) target(form *toForm, clients []Clients) *To {
	to := &To{Clients: form.Clients.or(""), Which: r.oneOf(&form.Which, Any, []string{Any, All, Next})}
	if !form.Clients.usable() {
		return to
	}
	c, ok := group(clients, to.Clients)
	names := r.form.Clients.names()
	switch {
	case !ok:
		r.add(form.Clients.at, form.path+": there are no clients "+quote(to.Clients)+suggest(to.Clients, names), known("clients", names))
	case len(c.ChannelNames) == 0 && !r.form.Clients.find(to.Clients).form.Channel.given():
		r.add(form.Clients.at, form.path+": the clients "+to.Clients+" have no channel to send to", "name clients that listen, or add channel: NAME to these")
	}
	return to
}
