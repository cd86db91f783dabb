package target

import "testing"

func TestAddressOf(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7:1234":                       "192.0.2.7",
		"[::ffff:192.0.2.7]:1234":              "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:80":            "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1%eth0]:80":       "2001:db8:1:2::/64",
		"[::1]:80":                             "::/64",
		"dialer:3":                             "dialer",
		"@":                                    "@",
		"[2001:db8:1:2:3:4:5:6%a%b\n]:0":       "2001:db8:1:2::/64",
		"":                                     "",
		"2001:db8::1:80:not an address at all": "2001:db8::1:80:not an address at all",
	} {
		if got := addressOf(remote); got != want {
			t.Errorf("addressOf(%q) = %q, want %q", remote, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	a := addresses{limit: 2}
	a.give("") // a stream that nobody counted
	for i, address := range []string{"x", "x", "x", "y"} {
		if got, want := a.take(address), i != 2; got != want {
			t.Errorf("stream %d, of %s: taken is %t, two of each may be", i+1, address, got)
		}
	}
	a.give("x")
	if !a.take("x") || a.take("x") {
		t.Error("one place was free again")
	}
	a.give("x")
	a.give("x")
	a.give("y")
	a.give("y")
	if len(a.held) != 0 {
		t.Errorf("what is not held is remembered: %v", a.held)
	}
}
