package report

import "testing"

func TestFormatValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, "ms", "0 ms"},
		{0.0005, "ms", "0.5 µs"},
		{0.986, "ms", "986 µs"},
		{0.9996, "ms", "1 ms"},
		{1.23456, "ms", "1.23 ms"},
		{12.345, "ms", "12.3 ms"},
		{99.96, "ms", "100 ms"},
		{312.4, "ms", "312 ms"},
		{999.6, "ms", "1 s"},
		{2500, "ms", "2.5 s"},
		{-4, "ms", "-4 ms"},
		{1, "ratio", "1"},
		{0, "ratio", "0"},
		{0.98765, "ratio", "0.9877"},
		{0.9999999, "ratio", "0.9999999"},
		{0.0000012, "ratio", "0.000001"},
		{600_123, "count", "600,123"},
		{-1234, "count", "-1,234"},
		{17.5, "count", "17.5"},
		{1234.56, "count", "1,235"},
	} {
		if got := formatValue(c.value, c.unit); got != c.want {
			t.Errorf("formatValue(%v, %q) = %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"1 event": plural(1, "event"), "0 events": plural(0, "event"), "1,000 deliveries": plural(1000, "delivery"), "1 delivery": plural(1, "delivery"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
