package target

import (
	"hash/maphash"
	"maps"
	"net/http"
	"slices"

	"holobench/wire"
)

// document is the state of a channel in the design state-sync: for each key the event that set it last. It is guarded by the
// mutex of its log. Every node that applies the same mutations in the same order has the same document, and comes to the same
// verdict on each.
type document struct {
	entries map[string]wire.Entry
	bytes   int // of its snapshot, about and at most
	limit   int // of bytes
	seed    maphash.Seed

	window int                        // how many idempotency keys are remembered
	seen   map[mutationID]appliedOnce // of the mutations that were applied
	oldest []mutationID               // of seen, in the order in which they were applied
}

// mutationID is an idempotency key of one sender.
type mutationID struct{ sender, id string }

// appliedOnce is what a repeated mutation is answered.
type appliedOnce struct {
	version uint64
	content uint64 // a hash of what it asked for
}

func newDocument(limit, window int) *document {
	return &document{
		entries: map[string]wire.Entry{}, limit: limit, seed: maphash.MakeSeed(), window: window, seen: map[mutationID]appliedOnce{},
	}
}

// apply carries out the mutation p, whose message m has got its number. Otherwise goesOn is false: it was carried out before,
// or its key has changed since its base, or the document would get too large.
func (d *document) apply(m *message, p *publication) (result published, refused *refusal, goesOn bool) {
	id := mutationID{p.sender, p.id}
	content := d.hash(p)
	if before, ok := d.seen[id]; ok && p.id != "" {
		if before.content != content {
			return published{}, refuse(http.StatusUnprocessableEntity, "id %q was another command's", p.id), false
		}
		return published{event: m.event, sequence: before.version, duplicate: true}, nil, false
	}
	now, there := d.entries[p.key]
	if there && p.base != nil && now.Seq > *p.base {
		return published{conflict: &wire.Conflict{Key: p.key, Version: now.Seq, Payload: now.Payload}}, nil, false
	}
	next := wire.Entry{Key: p.key, Name: m.event.Name, Payload: m.event.Payload, Seq: m.sequence}
	bytes := d.bytes + entrySize(next)
	if there {
		bytes -= entrySize(now)
	}
	if bytes > d.limit {
		return published{}, refuse(http.StatusInsufficientStorage, "the document of this channel has at most %d bytes", d.limit), false
	}
	d.entries[p.key], d.bytes = next, bytes
	if p.id != "" {
		d.remember(id, appliedOnce{version: m.sequence, content: content})
	}
	return published{}, nil, true
}

// hash is of all that a mutation asks for.
func (d *document) hash(p *publication) uint64 {
	if p.id == "" {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(d.seed)
	for _, text := range []string{p.key, p.event.Name, p.event.Payload} {
		h.WriteString(text)
		h.WriteByte(0)
	}
	return h.Sum64()
}

// remember keeps an idempotency key, and forgets the oldest when there are too many.
func (d *document) remember(id mutationID, applied appliedOnce) {
	if len(d.oldest) >= d.window {
		delete(d.seen, d.oldest[0])
		d.oldest = d.oldest[1:]
	}
	d.seen[id] = applied
	d.oldest = append(d.oldest, id)
}

// snapshot is the whole document, by key.
func (d *document) snapshot(channel string, version uint64) wire.Snapshot {
	s := wire.Snapshot{Channel: channel, Version: version, Entries: make([]wire.Entry, 0, len(d.entries))}
	for _, key := range slices.Sorted(maps.Keys(d.entries)) {
		s.Entries = append(s.Entries, d.entries[key])
	}
	return s
}

// entrySize is how long an entry is in a snapshot, so that no snapshot is longer than a reader takes.
func entrySize(e wire.Entry) int {
	const braces = len(`{"name":"","payload":"","seq":18446744073709551615,"key":""},`)
	return braces + jsonSize(e.Key) + jsonSize(e.Name) + jsonSize(e.Payload)
}

// jsonSize is the length of text in JSON at most: a character that is escaped takes six bytes.
func jsonSize(text string) int {
	size := len(text)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c >= 0x7f {
			size += 5
		}
	}
	return size
}
