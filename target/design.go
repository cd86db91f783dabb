package target

import (
	"fmt"
	"strings"

	"holobench/wire"
)

// Design names one way to build a realtime server. The zero value is no design; New takes it for Hologram.
type Design string

// The designs.
const (
	// Hologram imitates Hologram v0.9-v0.11 in Go: commands race, the sender is told by its reply, the others by SSE.
	Hologram Design = "hologram"
	// SingleChannel sends everything down the stream, in one order for all subscribers of a channel.
	SingleChannel Design = "single-channel"
)

// Designs lists all designs, in the order in which a user should read about them.
func Designs() []Design {
	return []Design{Hologram, SingleChannel}
}

// ParseDesign returns the design with that name; the error lists those there are.
func ParseDesign(name string) (Design, error) {
	names := make([]string, 0, len(Designs()))
	for _, d := range Designs() {
		if string(d) == name {
			return d, nil
		}
		names = append(names, string(d))
	}
	return "", fmt.Errorf("reading the design: there is no design %q; the designs are %s", name, strings.Join(names, ", "))
}

// Promises says what the design guarantees to its clients on one node, by the name of the guarantee. What is not in the
// map may happen to hold and is not promised. It is nil for an unknown design. The caller may change the map.
func (d Design) Promises() map[string]string {
	rules, err := d.dispatcher()
	if err != nil {
		return nil
	}
	return rules.promises()
}

// dispatcher returns the code of the design.
func (d Design) dispatcher() (dispatcher, error) {
	switch d {
	case Hologram:
		return hologram{}, nil
	case SingleChannel:
		return singleChannel{}, nil
	}
	_, err := ParseDesign(string(d))
	return nil, err
}

// dispatcher is a design: how the event of a command gets to its channel, and what its sender is answered. It is called
// in the goroutine of each request, by many at once; whatever order there is, the design itself makes.
type dispatcher interface {
	dispatch(s *Server, cmd wire.Command) answer
	promises() map[string]string
}

// answer is what a command is replied with.
type answer struct {
	status int
	reply  *wire.Reply // nil = no body
}

// eventOf is the broadcast that cmd asks for.
func eventOf(cmd wire.Command) wire.Event {
	return wire.Event{Channel: cmd.Channel, Name: cmd.Name, Payload: cmd.Payload}
}
