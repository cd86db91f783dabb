package scenarios

// atEnd resolves the section of that name.
func (r *resolver) atEnd(clients []Clients) AtEnd {
	form := &r.form.AtEnd
	a := AtEnd{Settle: form.Settle.or(0)}
	if a.Settle > maxSettle {
		r.add(form.Settle.at, form.Settle.path+": "+a.Settle.String()+" is more than the limit, "+maxSettle.String(), "")
	}
	converge := &form.Converge
	if !converge.given() {
		return a
	}
	r.require(&converge.Get.spot, &converge.spot, "get", "say what is fetched: converge: {get: \"/doc/${channel}\"}")
	c := &Converge{Among: converge.Among.or("")}
	if converge.Among.usable() {
		if _, ok := group(clients, c.Among); !ok {
			names := r.form.Clients.names()
			r.add(converge.Among.at, converge.Among.path+": there are no clients "+quote(c.Among)+suggest(c.Among, names), known("clients", names))
		}
	}
	c.Get = r.fill(&converge.Get, r.endWords(clients, c.Among))
	r.checkTarget(&converge.Get)
	compare := &converge.Compare
	if compare.word.given() {
		r.oneOf(&compare.word, "body", []string{"body"})
	} else {
		c.Compare = r.selector(&compare.JSON, &compare.Regex, nil)
		if compare.given() && !compare.JSON.given() && !compare.Regex.given() {
			r.require(&compare.JSON.spot, &compare.spot, "json", "say which part is compared: {json: version}, or write body")
		}
	}
	a.Converge = c
	return a
}

// endWords are what a template knows of each client that it may be filled in for.
func (r *resolver) endWords(clients []Clients, among string) *vocabulary {
	v := &vocabulary{}
	for i, c := range clients {
		if among != "" && c.Name != among {
			continue
		}
		words := r.clientWords(c)
		v.clients = max(v.clients, c.Count)
		if v.names == nil || i == 0 {
			v.names = words
			continue
		}
		var both []string
		for _, name := range v.names {
			for _, other := range words {
				if name == other {
					both = append(both, name)
				}
			}
		}
		v.names = both
	}
	return v
}
