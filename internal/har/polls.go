package har

// findPolls looks for events that come as the answers to requests which are made again and again.
func (d *deduction) findPolls() bool {
	var asked []*exchange
	for _, x := range d.recording.exchanges {
		if x.method == "GET" && x.good() && !background(x) {
			asked = append(asked, x)
		}
	}
	best := 0.0
	for _, group := range alikes(asked) {
		if len(group) < 2 {
			continue
		}
		all := *group[0] // all answers in a row, as if they were a stream
		all.events = nil
		for _, x := range group {
			if x.answer != "" {
				all.events = append(all.events, event{at: x.end, name: "message", data: x.answer})
			}
		}
		for _, commands := range alikes(d.candidates(group[0])) {
			s, score := d.bestSlot(commands, &all)
			if score > best && d.onlyPolled(commands, &all, &s) {
				best = score
				d.stream, d.polls, d.samples, d.payload = &all, group, commands, s
			}
		}
	}
	if best == 0 {
		return false
	}
	d.settle()
	return true
}

// onlyPolled says whether a text came back by a poll: else it is the answer to the command that has it.
func (d *deduction) onlyPolled(commands []*exchange, polls *exchange, s *slot) bool {
	for _, x := range commands {
		if found, ok := sameSlot(x, s); ok && d.hears(polls, x, found.value) {
			return true
		}
	}
	return false
}
