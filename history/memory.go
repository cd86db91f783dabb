package history

import (
	"slices"
	"sync"
)

// Memory holds a history in memory: the sink of runs inside a synctest bubble, and the way to write a history by hand. The
// zero value is empty and ready. It has no bound. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	chunks  [][]Observation
	rows    int
	samples []Sample
}

// Observe records obs, which stays the caller's: it is copied. What one goroutine observes keeps its order.
func (m *Memory) Observe(obs []Observation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows += len(obs)
	for len(obs) > 0 {
		last := len(m.chunks) - 1
		if last < 0 || len(m.chunks[last]) == cap(m.chunks[last]) {
			// Chunks double up to the batch of Scan: a history by hand is small, one of a bubble has millions of rows.
			size := 64
			if last >= 0 {
				size = min(2*cap(m.chunks[last]), batchRows)
			}
			m.chunks = append(m.chunks, make([]Observation, 0, size))
			last++
		}
		chunk := m.chunks[last]
		n := min(len(obs), cap(chunk)-len(chunk))
		m.chunks[last] = append(chunk, obs[:n]...)
		obs = obs[n:]
	}
}

// Write records samples.
func (m *Memory) Write(samples ...Sample) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, samples...)
	return nil
}

// Scan yields what was observed before the call, in the order of observing, in batches of at most 2,048. The batches are
// copies, so that a callback that changes its batch changes no history. Its error ends Scan and is returned as it is.
func (m *Memory) Scan(yield func(batch []Observation) error) error {
	m.mu.Lock()
	chunks := slices.Clone(m.chunks) // a chunk only grows: the slices that are copied here never change
	m.mu.Unlock()
	batch := make([]Observation, 0, batchRows)
	for _, chunk := range chunks {
		batch = append(batch[:0], chunk...)
		if err := yield(batch); err != nil {
			return err
		}
	}
	return nil
}

// Len counts the Observations.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows
}

// Samples returns the samples in the order of writing.
func (m *Memory) Samples() []Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.samples)
}

// History reads m as the history of run. names are those that its Observations were made with; nil stands for an empty
// one.
func (m *Memory) History(run Run, names *Names) *History {
	if names == nil {
		names = new(Names)
	}
	return &History{Run: run, Names: names, memory: m}
}
