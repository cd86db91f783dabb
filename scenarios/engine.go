package scenarios

// engine resolves what holds the streams of a group; see Clients.Engine.
func (r *resolver) engine(form *text, streams bool) string {
	switch {
	case !form.usable():
		return ""
	case !streams:
		r.add(form.at, form.path+": clients without a stream have none to hold", "leave it out")
		return ""
	}
	return r.oneOf(form, "auto", []string{"auto", "goroutine", "epoll", "reference"})
}
