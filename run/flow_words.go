package run

import (
	"slices"
	"strconv"
	"strings"

	"holobench/scenarios"
)

// fill fills a template in. A name for which there is nothing yet stands for nothing, and is a failure of the step.
func (w *walk) fill(p scenarios.Place, t *scenarios.Template) string {
	if text, constant := t.Constant(); constant {
		return text
	}
	var missing string
	w.text, missing = t.Append(w.text[:0], w.word)
	if missing != "" {
		w.failed(p, "nothing is known yet under the name "+missing)
	}
	return string(w.text)
}

// word is scenarios.Names for the templates of the walk.
func (w *walk) word(dst []byte, name string) ([]byte, bool) {
	l := &w.x.plan.Loads[w.load]
	switch name {
	case "seq":
		return strconv.AppendUint(dst, uint64(w.client.Asked())+1, 10), true
	case "iteration":
		return strconv.AppendInt(dst, int64(w.act.index)+1, 10), true
	case "reply.status":
		if w.reply.status == 0 {
			return append(dst, scenarios.Failed...), true
		}
		return strconv.AppendInt(dst, int64(w.reply.status), 10), true
	case "reply.body":
		return append(dst, w.reply.body...), true
	case "event.name", "event.channel", "event.text":
		return w.eventWord(dst, name)
	}
	if field, ok := strings.CutPrefix(name, "reply.header."); ok {
		value := w.reply.header(field)
		return append(dst, value...), value != ""
	}
	if out, ok := w.x.clientWord(dst, name, l.Group, w.number); ok {
		return out, true
	}
	if text, ok := w.memory.recall(name); ok {
		return append(dst, text...), true
	}
	return w.dataWord(dst, name)
}

// clientWord is what every template of a client knows.
func (x *execution) clientWord(dst []byte, name string, group, number int) ([]byte, bool) {
	g := &x.plan.Groups[group]
	switch name {
	case "client":
		return strconv.AppendInt(dst, int64(number)+1, 10), true
	case "group":
		return append(dst, g.Name...), true
	case "run.id":
		return append(dst, x.o.ID.String()...), true
	case "channel":
		if g.Channel != nil {
			return append(dst, g.Channel(number)...), true
		}
	case "n":
		if g.ChannelNumber != nil {
			return strconv.AppendInt(dst, int64(g.ChannelNumber(number)), 10), true
		}
	}
	return dst, false
}

// eventWord is a part of the event that an expect found last, or else of the one that was heard last.
func (w *walk) eventWord(dst []byte, name string) ([]byte, bool) {
	s := w.looksAt()
	if s.at == 0 {
		return dst, false
	}
	switch name {
	case "event.name":
		return append(dst, s.name...), s.name != ""
	case "event.channel":
		channel := w.x.o.Names.Name(s.channel)
		return append(dst, channel...), channel != ""
	}
	return append(dst, s.text...), true
}

// looksAt is the event that captures and templates look at.
func (w *walk) looksAt() sound {
	if w.event.at != 0 || w.ear == nil {
		return w.event
	}
	return w.ear.latestSound()
}

// capture keeps a part of the latest reply or event.
func (w *walk) capture(s *scenarios.Capture) {
	body, header := w.reply.body, w.reply.header
	if s.From == scenarios.FromEvent {
		body, header = w.looksAt().text, nil
	}
	if text, ok := s.By.Find(body, header); ok {
		w.memory.keep(s.Name, text)
		return
	}
	w.failed(s.Place, "there was nothing to capture")
}

// turn says for whom data is drawn.
func (x *execution) turn(load string, group, number, clients, iteration int) scenarios.Turn {
	return scenarios.Turn{Seed: x.plan.Seed, Load: load, Group: x.plan.Groups[group].Name, Client: number, Clients: clients, Iteration: iteration}
}

// dataWord is a value of the user's own, or a cell of a feed.
func (w *walk) dataWord(dst []byte, name string) ([]byte, bool) {
	l := &w.x.plan.Loads[w.load]
	t := w.x.turn(l.Name, l.Group, w.number, l.Only, int(w.act.index))
	if w.uses == nil {
		w.uses, w.row = make(map[string]int), make(map[string][]string)
	}
	t.Use = w.uses[name]
	w.uses[name]++
	return w.x.dataWord(dst, name, t, w.row)
}

// dataWord is what data says in a turn; rows keeps what was read of each feed.
func (x *execution) dataWord(dst []byte, name string, t scenarios.Turn, rows map[string][]string) ([]byte, bool) {
	for i := range x.plan.Values {
		if v := &x.plan.Values[i]; v.Name == name {
			return v.Append(dst, t), true
		}
	}
	feed, column, _ := strings.Cut(name, ".")
	for i := range x.plan.Feeds {
		f := &x.plan.Feeds[i]
		at := slices.Index(f.Columns, column)
		if f.Name != feed || at < 0 || i >= len(x.tables) {
			continue
		}
		row, known := rows[feed]
		if !known {
			var err error
			if row, err = x.tables[i].Row(f.RowOf(t)); err != nil {
				return dst, false
			}
			rows[feed] = row
		}
		return append(dst, row[at]...), true
	}
	return dst, false
}
