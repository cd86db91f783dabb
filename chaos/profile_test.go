package chaos_test

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/chaos"
)

// Each profile is one path: its delays are about what it says, with nothing configured by hand.
func TestProfiles(t *testing.T) {
	t.Parallel()
	for _, p := range chaos.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				found, err := chaos.ParseProfile(p.Name)
				if err != nil || found != p || p.Source == "" {
					t.Errorf("%+v, %v", found, err)
				}
				r := newRig(t, 2, p.Faults("net", chaos.Where{})...)
				near, far := r.connect(1, chaos.Stream)
				const messages = 300
				go func() {
					for i := range messages {
						r.until(time.Duration(i+1) * 2 * s)
						io.WriteString(far, "x")
					}
					far.Close()
				}()
				var late []time.Duration
				for i, g := range r.readAll(near)[:messages] {
					late = append(late, g.at-time.Duration(i+1)*2*s)
				}
				slices.Sort(late)
				// With 300 draws of a lognormal law the median is within some percent, or half of it where the tail is ten medians.
				if median := late[messages/2]; median < p.Delay*8/10 || median > p.Delay*14/10+3*p.Jitter {
					t.Errorf("the median way took %v, of %v", median, p.Delay)
				}
			})
		})
	}
	want := `there is no network called "5g": give one of wifi, 4g, 3g, satellite, transatlantic`
	if _, err := chaos.ParseProfile("5g"); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
