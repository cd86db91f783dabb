package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"holobench/chaos"
)

// Toxic is a fault in the shape that Toxiproxy gave it.
type Toxic struct {
	Name       string          `json:"name"` // "" = TYPE_STREAM
	Type       string          `json:"type"`
	Stream     string          `json:"stream"`   // downstream (to the client; also ""), upstream, or both
	Toxicity   float64         `json:"toxicity"` // the share of the connections that it hits
	Attributes json.RawMessage `json:"attributes"`

	effect chaos.Effect
}

// The reasons for which the API refuses a toxic, beside those of its attributes.
var (
	errType   = errors.New("unknown type")
	errStream = errors.New("unknown stream")
)

// check reads the attributes, and writes them anew, all of them.
func (t *Toxic) check() error {
	direction, known := map[string]chaos.Direction{"downstream": chaos.Down, "upstream": chaos.Up, "both": chaos.Both}[t.Stream]
	if !known {
		return fmt.Errorf("the stream %q: %w: give downstream (to the client), upstream or both", t.Stream, errStream)
	}
	if t.Name == "" {
		t.Name = t.Type + "_" + t.Stream
	}
	form, known := forms()[t.Type]
	if !known {
		return fmt.Errorf("the type %q: %w: give one of %v", t.Type, errType, slices.Sorted(maps.Keys(forms())))
	}
	if len(t.Attributes) > 0 {
		if err := decode(t.Attributes, form); err != nil {
			return fmt.Errorf("the attributes of the toxic %q (%s): %w", t.Name, t.Type, err)
		}
	}
	var err error
	if t.effect, err = form.effect(); err != nil {
		return fmt.Errorf("the attributes of the toxic %q (%s): %w", t.Name, t.Type, err)
	}
	if t.Attributes, err = json.Marshal(form); err != nil {
		return fmt.Errorf("the attributes of the toxic %q (%s): %w", t.Name, t.Type, err)
	}
	f := t.fault()
	f.Where.Direction = direction
	return f.Check(false)
}

// fault is what the toxic is to chaos.
func (t *Toxic) fault() chaos.Fault {
	f := chaos.Fault{Name: t.Name, Effect: t.effect}
	switch t.Stream {
	case "upstream":
		f.Where.Direction = chaos.Up
	case "both":
		f.Where.Direction = chaos.Both
	}
	return f
}

func (t *Toxic) set(live *chaos.Live) error { return live.Set(t.fault(), t.Toxicity) }

// find is where a toxic is; -1 = nowhere. The caller holds mu.
func (p *Proxy) find(name string) int {
	return slices.IndexFunc(p.toxics, func(t Toxic) bool { return t.Name == name })
}

// Toxics returns those that are set, in the order in which they were.
func (p *Proxy) Toxics() []Toxic {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Toxic{}, p.toxics...)
}

// Toxic finds one.
func (p *Proxy) Toxic(name string) (Toxic, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.find(name); i >= 0 {
		return p.toxics[i], nil
	}
	return Toxic{}, fmt.Errorf("the toxic %q of the proxy %q: %w", name, p.name, errNotFound)
}

// Add sets a toxic, which is in force on all connections at once, and returns it with all that was filled in.
func (p *Proxy) Add(t Toxic) (Toxic, error) {
	if t.Stream == "" {
		t.Stream = "downstream"
	}
	if err := t.check(); err != nil {
		return Toxic{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.find(t.Name) >= 0 {
		return Toxic{}, fmt.Errorf("the toxic %q of the proxy %q: %w", t.Name, p.name, errExists)
	}
	if err := t.set(p.live); err != nil {
		return Toxic{}, err
	}
	p.toxics = append(p.toxics, t)
	return t, nil
}

// Change replaces the attributes that are given, and the toxicity unless it is nil.
func (p *Proxy) Change(name string, attributes json.RawMessage, toxicity *float64) (Toxic, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.find(name)
	if i < 0 {
		return Toxic{}, fmt.Errorf("the toxic %q of the proxy %q: %w", name, p.name, errNotFound)
	}
	t := p.toxics[i]
	if toxicity != nil {
		t.Toxicity = *toxicity
	}
	var err error
	if t.Attributes, err = merge(t.Attributes, attributes); err != nil {
		return Toxic{}, fmt.Errorf("the attributes of the toxic %q: %w", name, err)
	}
	if err := t.check(); err != nil {
		return Toxic{}, err
	}
	if err := t.set(p.live); err != nil {
		return Toxic{}, err
	}
	p.toxics[i] = t
	return t, nil
}

// Remove clears a toxic: what it holds back comes out at once.
func (p *Proxy) Remove(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.find(name)
	if i < 0 {
		return fmt.Errorf("the toxic %q of the proxy %q: %w", name, p.name, errNotFound)
	}
	p.live.Clear(name)
	p.toxics = slices.Delete(p.toxics, i, i+1)
	return nil
}

// Clear removes all toxics.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.toxics {
		p.live.Clear(t.Name)
	}
	p.toxics = nil
}

// merge puts the members of one JSON object over those of another.
func merge(old, over json.RawMessage) (json.RawMessage, error) {
	if len(over) == 0 {
		return old, nil
	}
	all := make(map[string]json.RawMessage)
	for _, one := range []json.RawMessage{old, over} {
		if err := json.Unmarshal(one, &all); err != nil {
			return nil, err
		}
	}
	return json.Marshal(all)
}
