package clients

import (
	"strconv"
	"sync"

	"holobench/wire/phoenix"
)

// joinings are the topics of a session or a socket, and what its two halves tell each other of it.
type joinings struct {
	mu      sync.Mutex
	topics  topics
	refused error         // the server wants no such client; nil = it was not asked, or it does
	changed chan struct{} // closed when anything of this changes
}

// change wakes who waits; the caller holds mu.
func (j *joinings) change() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// confirm says that the joins of these topics were answered.
func (j *joinings) confirm(topics []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, topic := range topics {
		j.topics.confirm(topic)
	}
	j.change()
}

// joinRef is the ref by which a topic was joined; "" = it was not.
func (j *joinings) joinRef(topic string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.topics.joined[topic]
}

// askedAt is when the join of a topic was sent.
func (j *joinings) askedAt(topic string) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.topics.asked[topic]
}

// left says whether the close of a topic, which was joined by that ref, answers the client's own wish to leave it.
func (j *joinings) left(topic, joinRef string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	ref, ok := j.topics.leaving[topic]
	if !ok || ref != joinRef {
		return false
	}
	delete(j.topics.leaving, topic)
	j.change()
	return true
}

// gone returns what was being left when the session or the socket ended, and is left with it.
func (j *joinings) gone() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var gone []string
	for topic := range j.topics.leaving {
		gone = append(gone, topic)
	}
	clear(j.topics.leaving)
	j.change()
	return gone
}

// topics are the topics that a session or a socket has joined, and the numbers of what was sent there. Its user locks.
type topics struct {
	now     func() int64
	refs    int
	joined  map[string]string // the ref of the join, by topic
	asked   map[string]int64  // when it was sent
	open    map[string]bool   // topics whose join was answered
	leaving map[string]string // the ref of the join of those that the client leaves, until that is answered
}

// next is the number of the next message.
func (t *topics) next() string {
	t.refs++
	return strconv.Itoa(t.refs)
}

// join returns the message that joins a topic.
func (t *topics) join(topic string) phoenix.Message {
	if t.joined == nil {
		t.joined, t.asked = make(map[string]string), make(map[string]int64)
	}
	ref := t.next()
	t.joined[topic], t.asked[topic] = ref, t.now()
	return phoenix.Message{JoinRef: ref, Ref: ref, Topic: topic, Event: phoenix.EventJoin}
}

// confirm says that the join of a topic was answered.
func (t *topics) confirm(topic string) {
	if t.open == nil {
		t.open = make(map[string]bool)
	}
	t.open[topic] = true
}

// leave returns the message that leaves a topic, which was joined.
func (t *topics) leave(topic string) phoenix.Message {
	if t.leaving == nil {
		t.leaving = make(map[string]string)
	}
	ref := t.joined[topic]
	t.leaving[topic] = ref
	delete(t.joined, topic)
	delete(t.open, topic)
	return phoenix.Message{JoinRef: ref, Ref: t.next(), Topic: topic, Event: phoenix.EventLeave}
}

// push returns the message that carries a command, without its payload.
func (t *topics) push(m *Message) phoenix.Message {
	return phoenix.Message{JoinRef: t.joined[m.Channel], Ref: t.next(), Topic: m.Channel, Event: m.Name}
}

// reset forgets what was joined. Numbers go on, so that a late reply answers nothing.
func (t *topics) reset() {
	clear(t.joined)
	clear(t.open)
}
