package scenarios

import (
	"fmt"
	"testing"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	read := map[string]func(string) (any, error){
		"duration": func(s string) (any, error) { return parseDuration(s) },
		"rate":     func(s string) (any, error) { return ParseRate(s) },
		"size":     func(s string) (any, error) { return parseSize(s) },
		"interval": func(s string) (any, error) { return parseInterval(s) },
		"integer":  func(s string) (any, error) { return parseInteger(s) },
		"share":    func(s string) (any, error) { return parseShare(s) },
	}
	tests := []struct{ kind, text, want string }{
		{"duration", "250ms", "250ms"},
		{"duration", "1h30m", "1h30m0s"},
		{"duration", "1.5s", "1.5s"},
		{"duration", "100us", "100µs"},
		{"duration", "0s", "0s"},
		{"duration", "0", "error"},
		{"duration", "10", "error"},
		{"duration", "10 s", "error"},
		{"duration", "-1s", "error"},
		{"duration", "+1s", "error"},
		{"duration", "1d", "error"},
		{"duration", "", "error"},
		{"duration", "9999999999h", "error"},
		{"rate", "200/s", "200"},
		{"rate", "30/m", "0.5"},
		{"rate", "7200/h", "2"},
		{"rate", "2/ms", "2000"},
		{"rate", "0.5/s", "0.5"},
		{"rate", "0/s", "0"},
		{"rate", "200", "error"},
		{"rate", "/s", "error"},
		{"rate", "200/d", "error"},
		{"rate", "-1/s", "error"},
		{"rate", "1e3/s", "error"},
		{"rate", "NaN/s", "error"},
		{"rate", "Inf/s", "error"},
		{"rate", "1/s/s", "error"},
		{"rate", "1.2.3/s", "error"},
		{"size", "200B", "200"},
		{"size", "4KiB", "4096"},
		{"size", "1.5KiB", "1536"},
		{"size", "2kB", "2000"},
		{"size", "1MiB", "1048576"},
		{"size", "200", "error"},
		{"size", "4K", "error"},
		{"size", "1.5B", "error"},
		{"size", "99999999999MiB", "error"},
		{"size", "B", "error"},
		{"size", "4BB", "error"},
		{"size", "", "error"},
		{"interval", "0s..5s", "{0 5000000000}"},
		{"interval", "1500ms..1m", "{1500000000 60000000000}"},
		{"interval", "0..5s", "error"},
		{"interval", "5s..1s", "error"},
		{"interval", "5s..5s", "error"},
		{"interval", "5s", "error"},
		{"interval", "1s..2s..3s", "error"},
		{"integer", "0", "0"},
		{"integer", "18446744073709551615", "18446744073709551615"},
		{"integer", "18446744073709551616", "error"},
		{"integer", "2_000", "error"},
		{"integer", "0x10", "error"},
		{"integer", "1.0", "error"},
		{"integer", "-1", "error"},
		{"share", "30%", "0.3"},
		{"share", "0.5%", "0.005"},
		{"share", "100%", "1"},
		{"share", "0%", "0"},
		{"share", "101%", "error"},
		{"share", "30", "error"},
		{"share", "-1%", "error"},
		{"share", "30 %", "error"},
		{"share", "%", "error"},
	}
	for _, test := range tests {
		v, err := read[test.kind](test.text)
		got := fmt.Sprint(v)
		if err != nil {
			got = "error"
		}
		if got != test.want {
			t.Errorf("%s %q: got %s, want %s (%v)", test.kind, test.text, got, test.want, err)
		}
	}
}

// What a user writes for a unit that is missing is in the error.
func TestUnitsTeach(t *testing.T) {
	t.Parallel()
	_, err := parseDuration("10")
	if want := `"10" is no duration: write a number and a unit (us, ms, s, m, h): 250ms, 10s, 1h30m`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
