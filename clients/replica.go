package clients

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"holobench/wire"
)

// Replica says what a client holds of a document (the design state-sync): what all clients of a channel must agree on once
// they have seen its last change.
type Replica struct {
	Channel string
	Version uint64 // of the last change that is in it
	Digest  uint64 // of its keys and values, without an order; the same in every process
	Keys    int
	Holes   int // how often a change came that was not the next one, but not by a snapshot
}

// Replicas returns what the client holds of each document, by channel; none when the server keeps none.
func (c *Client) Replicas() []Replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Replica, 0, len(c.replicas))
	for _, name := range slices.Sorted(maps.Keys(c.replicas)) {
		all = append(all, c.replicas[name].now())
	}
	return all
}

// replica is one document as a client holds it: for each key no more than a hash of what it holds. The digest is the
// exclusive or of them, so that a change costs the same in a document of any size.
type replica struct {
	mu      sync.Mutex
	hold    Replica
	entries map[string]uint64
}

// newReplica returns the replica of a channel, which a stream keeps over all its connections.
func (c *Client) newReplica(channel string) *replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.replicas == nil {
		c.replicas = make(map[string]*replica)
	}
	r := &replica{hold: Replica{Channel: channel}, entries: make(map[string]uint64)}
	c.replicas[channel] = r
	return r
}

func (r *replica) now() Replica {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hold
}

// begin makes the replica what a snapshot says.
func (r *replica) begin(s *wire.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.entries)
	r.hold.Digest, r.hold.Version = 0, s.Version
	for _, e := range s.Entries {
		r.set(e.Key, e.Name, e.Payload)
	}
	r.hold.Keys = len(r.entries)
}

// patch makes the change that an event says, unless the replica has it already.
func (r *replica) patch(data []byte) {
	var e wire.Event
	if json.Unmarshal(data, &e) != nil || e.Seq == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Seq <= r.hold.Version {
		return
	}
	if e.Seq != r.hold.Version+1 {
		r.hold.Holes++
	}
	r.set(e.Key, e.Name, e.Payload)
	r.hold.Version, r.hold.Keys = e.Seq, len(r.entries)
}

// set is one key's new value; the caller holds mu.
func (r *replica) set(key, name, payload string) {
	value := hashTexts(key, name, payload)
	r.hold.Digest ^= r.entries[key] ^ value
	r.entries[key] = value
}

// hashTexts is FNV-1a of the texts, each with its end. It has no seed, so that the digests of two processes compare.
func hashTexts(texts ...string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for _, text := range texts {
		for i := range len(text) {
			hash = (hash ^ uint64(text[i])) * prime
		}
		hash = (hash ^ 0x100) * prime // no byte of a text: where one ends is part of the hash
	}
	return hash
}
