package run

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"

	"holobench/clients"
	"holobench/history"
	"holobench/scenarios"
)

// atEnd does what is to be done when the drain is over, while clients still hold their streams: it keeps what the replicas are,
// and lets clients fetch their views, which it compares.
func (x *execution) atEnd(work context.Context) error {
	settled := pause(work, x.plan.AtEnd.Settle)
	documents := x.documents()
	var found *history.Convergence
	if c := x.plan.AtEnd.Converge; c != nil && settled {
		found = compareViews(c, x.fetchViews(work, c))
	}
	if found == nil && documents == nil {
		return nil
	}
	return x.save(func(r *history.Run) { r.Convergence, r.Documents = found, documents })
}

// view is what one client got of one thing.
type view struct {
	client uint32
	thing  string // the path
	text   string
	why    string // there is none; "" = there is
}

// viewers are the clients that fetch their views at the end.
func (x *execution) viewers() []viewer {
	c := x.plan.AtEnd.Converge
	if c == nil {
		return nil
	}
	var all []viewer
	for i := range x.plan.Groups {
		g := &x.plan.Groups[i]
		if c.Among != "" && c.Among != g.Name {
			continue
		}
		for number := range g.Count {
			if client := x.everybody[x.plan.first(i)+number]; client != nil {
				all = append(all, viewer{client: client, group: i, number: number})
			}
		}
	}
	return all
}

// viewer is one of them.
type viewer struct {
	client        *clients.Client
	group, number int
}

// maxFetching is how many views are fetched at once: the comparison is not to be the run's heaviest load.
const maxFetching = 64

// fetchViews lets each viewer fetch, and returns what they got in the order of the clients.
func (x *execution) fetchViews(ctx context.Context, c *scenarios.Converge) []view {
	viewers := x.viewers()
	views := make([]view, len(viewers))
	free := make(chan struct{}, maxFetching)
	var fetching sync.WaitGroup
	for i, v := range viewers {
		free <- struct{}{}
		fetching.Go(func() {
			defer func() { <-free }()
			views[i] = x.fetchView(ctx, c, v)
		})
	}
	fetching.Wait()
	return views
}

// fetchView lets one viewer fetch.
func (x *execution) fetchView(ctx context.Context, c *scenarios.Converge, v viewer) view {
	rows := make(map[string][]string)
	path, missing := c.Get.Append(nil, func(dst []byte, name string) ([]byte, bool) {
		if out, ok := x.clientWord(dst, name, v.group, v.number); ok {
			return out, true
		}
		return x.dataWord(dst, name, x.turn("", v.group, v.number, x.plan.Groups[v.group].Count, 0), rows)
	})
	got := view{client: v.client.ID(), thing: string(path)}
	if missing != "" {
		got.why = "nothing is known under the name " + missing
		return got
	}
	answer := make(chan clients.Fetched, 1)
	v.client.Fetch(got.thing, func(f *clients.Fetched) { answer <- *f })
	select {
	case f := <-answer:
		switch part, ok := c.Compare.Find(f.Body, nil); {
		case f.Status == 0:
			got.why = f.Why
		case f.Status < 200 || f.Status > 299:
			got.why = "http " + strconv.Itoa(f.Status)
		case !ok:
			got.why = "the answer has not what is compared"
		default:
			got.text = part
		}
	case <-ctx.Done():
		got.why = clients.Interrupted
	}
	return got
}

// compareViews compares the views of each thing with each other. No client is right by itself: what most have is what the
// others differ from, and of as many the one that the first client has.
func compareViews(c *scenarios.Converge, views []view) *history.Convergence {
	found := &history.Convergence{Get: c.Get.Text, Compare: comparedPart(&c.Compare), Clients: len(views)}
	byThing := make(map[string][]view)
	var things []string
	for _, v := range views {
		if v.why != "" {
			found.Failed++
			found.Reason = cmp.Or(found.Reason, v.why)
			continue
		}
		if byThing[v.thing] == nil {
			things = append(things, v.thing)
		}
		byThing[v.thing] = append(byThing[v.thing], v)
	}
	found.Things = len(things)
	for _, thing := range things {
		d := differ(thing, byThing[thing])
		found.Alike += len(byThing[thing]) - d.Others
		if d.Views > 1 && len(found.Differing) < maxDiffering {
			found.Differing = append(found.Differing, d)
		}
	}
	return found
}

// How much of what differs is kept.
const (
	maxDiffering = 10 // things
	maxNamed     = 20 // clients of one
	maxExcerpt   = 48 // bytes of a view
)

// comparedPart says what is compared.
func comparedPart(s *scenarios.Selector) string {
	switch {
	case s.JSON != "":
		return "json " + s.JSON
	case s.Regex != "":
		return "regex " + s.Regex
	}
	return "body"
}

// differ compares the views of one thing.
func differ(thing string, views []view) history.Difference {
	d := history.Difference{Thing: thing}
	count := make(map[string]int)
	for _, v := range views {
		count[v.text]++
	}
	d.Views = len(count)
	most := views[0].text
	for _, v := range views {
		if count[v.text] > count[most] {
			most = v.text
		}
	}
	for _, v := range views {
		if v.text == most {
			continue
		}
		if d.Others == 0 {
			d.Offset = firstDifference(most, v.text)
			d.Most, d.First = excerpt(most, d.Offset), excerpt(v.text, d.Offset)
		}
		if d.Others++; len(d.Clients) < maxNamed {
			d.Clients = append(d.Clients, v.client)
		}
	}
	return d
}

// firstDifference is the offset of the first byte in which two texts differ.
func firstDifference(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// excerpt is a little of a text around an offset, with what is not plain ASCII escaped: it is the server's, and it is printed.
func excerpt(text string, offset int) string {
	from := max(0, offset-maxExcerpt/4)
	to := min(len(text), from+maxExcerpt)
	quoted := strconv.QuoteToASCII(text[from:to])
	before, after := "", ""
	if from > 0 {
		before = "..."
	}
	if to < len(text) {
		after = "..."
	}
	return before + quoted[1:len(quoted)-1] + after
}

// documents is what clients hold of the documents of their channels; none where they keep no replicas.
func (x *execution) documents() []history.Document {
	type held struct {
		client  uint32
		replica clients.Replica
	}
	byChannel := make(map[string][]held)
	for _, c := range x.streams {
		for _, r := range c.Replicas() {
			byChannel[r.Channel] = append(byChannel[r.Channel], held{c.ID(), r})
		}
	}
	var all []history.Document
	for channel, replicas := range byChannel {
		d := history.Document{Channel: channel, Clients: len(replicas)}
		for _, h := range replicas {
			d.Newest = max(d.Newest, h.replica.Version)
			d.Missed += h.replica.Holes
		}
		count := make(map[uint64]int)
		replicas = slices.DeleteFunc(replicas, func(h held) bool { return h.replica.Version != d.Newest })
		d.Behind = d.Clients - len(replicas)
		most := replicas[0].replica.Digest
		for _, h := range replicas {
			count[h.replica.Digest]++
			if count[h.replica.Digest] > count[most] {
				most = h.replica.Digest
			}
		}
		d.Views = len(count)
		for _, h := range replicas {
			if h.replica.Digest != most && len(d.Others) < maxNamed {
				d.Others = append(d.Others, h.client)
			}
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b history.Document) int { return cmp.Compare(a.Channel, b.Channel) })
	return all
}
