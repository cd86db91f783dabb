package run

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"holobench/history"
	"holobench/scenarios"
)

// TestViewsAreCompared holds what is said of views, by hand.
func TestViewsAreCompared(t *testing.T) {
	t.Parallel()
	c := &scenarios.Converge{Get: template("/doc/${channel}"), Compare: scenarios.Selector{JSON: "version"}}
	got := compareViews(c, []view{
		{client: 0, thing: "/doc/a", text: "alpha"},
		{client: 1, thing: "/doc/b", text: "beta"},
		{client: 2, thing: "/doc/a", text: "alphabet"},
		{client: 3, thing: "/doc/a", text: "alphabet"},
		{client: 4, thing: "/doc/b", why: "http 500"},
		{client: 5, thing: "/doc/a", text: "al\x00ha"},
		{client: 6, thing: "/doc/b", text: "beta"},
		{client: 7, thing: "/doc/b", why: "timeout"},
	})
	want := &history.Convergence{
		Get: "/doc/${channel}", Compare: "json version", Clients: 8, Failed: 2, Reason: "http 500", Things: 2, Alike: 4,
		Differing: []history.Difference{{Thing: "/doc/a", Views: 3, Clients: []uint32{0, 5}, Others: 2, Offset: 5, Most: "alphabet", First: "alpha"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, want %+v", got, want)
	}
	if d := differ("x", []view{{client: 1, text: "a"}, {client: 2, text: "b"}}); d.Most != "a" || !slices.Equal(d.Clients, []uint32{2}) {
		t.Errorf("of as many the first is taken for what most have: %+v", d)
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, test := range []struct {
		text   string
		offset int
		want   string
	}{
		{"", 0, ""},
		{"short", 3, "short"},
		{"a\x1b[31m\"é\"", 0, `a\x1b[31m\"\u00e9\"`},
		{long, 0, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL..."},
		{long, 40, "...stuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	} {
		if got := excerpt(test.text, test.offset); got != test.want {
			t.Errorf("excerpt(%q, %d) = %s, want %s", test.text, test.offset, got, test.want)
		}
	}
}

// TestEndIsCompared holds that all clients among a group fetch what the target says of their channel, and that their replicas
// are kept beside it.
func TestEndIsCompared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set := say("set", "")
		set.With = []scenarios.Field{{Name: "key", Value: template("k${client}")}}
		p := stage("state-sync", 6, []scenarios.Step{set})
		p.Loads[0].Only = 3
		p.Groups[0].Channel = func(i int) string { return fmt.Sprintf("room-%d", i%2) }
		p.Groups = append(p.Groups, Group{Name: "others", Count: 1, Channel: func(int) string { return "attic" }})
		p.AtEnd = scenarios.AtEnd{Settle: 2 * time.Second, Converge: &scenarios.Converge{Get: template("/state?channel=${channel|url}"), Among: "members"}}
		rehearse(t, p, func(r *rehearsal) {
			r.acts(0)
			began := r.now()
			if err := r.atEnd(r.ctx); err != nil {
				t.Fatal(err)
			}
			if took := time.Duration(r.now() - began); took != 2*time.Second+oneWay {
				t.Errorf("it took %v", took)
			}
			want := &history.Convergence{Get: "/state?channel=${channel|url}", Compare: "body", Clients: 6, Things: 2, Alike: 6}
			if got := r.run.Convergence; !reflect.DeepEqual(got, want) {
				t.Errorf("found %+v, want %+v", got, want)
			}
			documents := []history.Document{
				{Channel: "attic", Clients: 1, Views: 1}, {Channel: "room-0", Clients: 3, Newest: 2, Views: 1}, {Channel: "room-1", Clients: 3, Newest: 1, Views: 1},
			}
			if got := r.run.Documents; !reflect.DeepEqual(got, documents) {
				t.Errorf("documents %+v, want %+v", got, documents)
			}
			r.plan.AtEnd.Converge.Get = template("/nowhere/${secret}")
			if err := r.atEnd(r.ctx); err != nil {
				t.Fatal(err)
			}
			if got := r.run.Convergence; got.Failed != 6 || got.Reason != "nothing is known under the name secret" || got.Alike != 0 || got.Things != 0 {
				t.Errorf("found %+v", got)
			}
			r.plan.AtEnd.Converge = nil
			r.run.Convergence = nil
			if err := r.atEnd(r.ctx); err != nil || r.run.Convergence != nil {
				t.Errorf("nothing was to be compared: %v, %+v", err, r.run.Convergence)
			}
		})
	})
}
