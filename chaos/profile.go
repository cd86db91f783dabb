package chaos

import (
	"fmt"
	"strings"
	"time"

	"holobench/internal/draw"
)

// Profile is a kind of network, as one path has it. What a way takes and carries has a source; how much it varies is our
// assumption, since such tables say nothing of it.
type Profile struct {
	Name     string
	Delay    time.Duration // median of one way
	Tail     float64       // the 99th percentile of one way, in medians
	Jitter   time.Duration // mean of what each message of a socket has on top, at most 3 times as much
	DownRate float64       // bytes a second; 0 = not limited
	UpRate   float64
	Source   string // of delay and rates
}

// Profiles returns all of them.
func Profiles() []Profile {
	const firefox = "throttling profiles of Firefox's developer tools (devtools/client/shared/components/throttling/profiles.js), half the latency each way"
	const kbit, mbit = 1024.0 / 8, 1024.0 * 1024 / 8
	return []Profile{
		{"wifi", time.Millisecond, 10, time.Millisecond, 30 * mbit, 15 * mbit, firefox + ", Wi-Fi"},
		{"4g", 10 * time.Millisecond, 5, time.Millisecond, 4 * mbit, 3 * mbit, firefox + ", Regular 4G / LTE"},
		{"3g", 50 * time.Millisecond, 5, 2 * time.Millisecond, 750 * kbit, 250 * kbit, firefox + ", Regular 3G"},
		{"satellite", 300 * time.Millisecond, 1.2, 2 * time.Millisecond, 0, 0, "a geostationary satellite, 35,786 km high: 239 ms for light up and down, and typically 600 ms both ways"},
		{"transatlantic", 35 * time.Millisecond, 1.1, 500 * time.Microsecond, 0, 0, "5,570 km from New York to London: 28 ms in glass as the crow flies, and cables are a quarter longer"},
	}
}

// Faults returns what makes the connections of where's clients those of the profile, always: a delay and a limit to the
// rate, each way. Their names begin with name, and end in what they are and the direction.
func (p Profile) Faults(name string, where Where) []Fault {
	var all []Fault
	add := func(kind string, dir Direction, effect Effect) {
		at := where
		at.Direction = dir
		all = append(all, Fault{Name: name + "." + kind + "." + dir.String(), Window: Window{Always: true}, Where: at, Effect: effect})
	}
	delay := Delay{
		Law:    draw.Law{Kind: draw.KindLognormal, A: float64(p.Delay), B: p.Tail * float64(p.Delay)},
		Jitter: draw.Law{Kind: draw.KindExponential, A: float64(p.Jitter), Cap: 3 * float64(p.Jitter)},
	}
	for _, dir := range []Direction{Down, Up} {
		add("delay", dir, delay)
		if rate := map[Direction]float64{Down: p.DownRate, Up: p.UpRate}[dir]; rate > 0 {
			add("bandwidth", dir, Bandwidth{Rate: rate, Burst: 10 * segment}) // as much as TCP sends before the first answer
		}
	}
	return all
}

// ParseProfile finds a profile by its name.
func ParseProfile(name string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("there is no network called %q: give one of %s", name, strings.Join(names, ", "))
}
