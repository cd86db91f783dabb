package scenarios

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"holobench/internal/draw"
)

// valueOf parses one value.
func valueOf(t *testing.T, value string) (Value, error) {
	t.Helper()
	f, err := Parse("s.yaml", []byte(whole+"values: {v: "+value+"}\n"), nil)
	if err != nil {
		return Value{}, err
	}
	return f.Values[0], nil
}

func TestValuesHaveTheirShape(t *testing.T) {
	t.Parallel()
	tests := []struct{ value, shape string }{
		{"{int: 1..6}", `^[1-6]$`},
		{"{int: 5..5}", `^5$`},
		{"{int: 0..9007199254740992}", `^\d{1,16}$`},
		{"{int: 1..1000, zipf: 1.1}", `^\d{1,4}$`},
		{"uuid", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		{"{text: 5..12}", `^[a-z][a-z ]{3,10}[a-z]$`},
		{"{text: 0}", `^$`},
		{"{text: 1}", `^[a-z]$`},
		{"{hex: 16}", `^[0-9a-f]{16}$`},
		{"{pick: [red, green]}", `^(red|green)$`},
		{"{pick: [red, green], shares: [0%, 100%]}", `^green$`},
	}
	for _, test := range tests {
		v, err := valueOf(t, test.value)
		if err != nil {
			t.Error(err)
			continue
		}
		shape := regexp.MustCompile(test.shape)
		for i := range 200 {
			if got := v.Append([]byte("<"), Turn{Seed: 7, Client: i}); !shape.Match(got[1:]) || got[0] != '<' {
				t.Fatalf("%s: %q", test.value, got)
			}
		}
	}
}

// What a value is depends on its turn alone, and on as much of it as it says.
func TestValuesAreDrawnAnew(t *testing.T) {
	t.Parallel()
	base := Turn{Seed: 7, Load: "edits", Group: "members", Client: 3, Clients: 10, Iteration: 4, Use: 1}
	others := map[string]Turn{}
	for name, change := range map[string]func(*Turn){
		"seed": func(t *Turn) { t.Seed++ }, "group": func(t *Turn) { t.Group = "bots" }, "client": func(t *Turn) { t.Client++ },
		"load": func(t *Turn) { t.Load = "talk" }, "iteration": func(t *Turn) { t.Iteration++ }, "use": func(t *Turn) { t.Use++ },
	} {
		turn := base
		change(&turn)
		others[name] = turn
	}
	for per, want := range map[string]string{PerAct: "seed group client load iteration", PerUse: "seed group client load iteration use", PerClient: "seed group client"} {
		v, err := valueOf(t, "{hex: 32, per: "+per+"}")
		if err != nil {
			t.Fatal(err)
		}
		first := string(v.Append(nil, base))
		if again := string(v.Append(nil, base)); again != first {
			t.Errorf("%s: %s, and then %s", per, first, again)
		}
		for name, turn := range others {
			if differs := string(v.Append(nil, turn)) != first; differs != strings.Contains(want, name) {
				t.Errorf("%s: another %s differs: %v", per, name, differs)
			}
		}
		other := v
		other.Name = "w"
		if string(other.Append(nil, base)) == first {
			t.Errorf("%s: another value is the same", per)
		}
	}
}

// The numbers of a sequence are given out once, whoever asks when, and rise at each client.
func TestSequences(t *testing.T) {
	t.Parallel()
	for spelled, want := range map[string][2]int{"{sequence: 1000}": {1000, 1}, "{sequence: {from: 5, step: 10}}": {5, 10}} {
		v, err := valueOf(t, spelled)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for client := range 7 {
			last := -1
			for iteration := range 50 {
				n, err := strconv.Atoi(string(v.Append(nil, Turn{Client: client, Clients: 7, Iteration: iteration, Use: iteration})))
				if err != nil || seen[n] || n <= last || (n-want[0])%want[1] != 0 || n < want[0] || n >= want[0]+7*50*want[1] {
					t.Fatalf("%s: %d after %d (%v)", spelled, n, last, err)
				}
				seen[n], last = true, n
			}
		}
	}
}

// Draws follow what the value says of them: chi-square, with a bound that chance passes once in a thousand times.
func TestValuesFollowTheirShares(t *testing.T) {
	t.Parallel()
	const draws = 20000
	z, err := draw.NewZipf(4, 1.1)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		value  string
		shares map[string]float64
	}{
		{"{pick: [a, b, c], shares: [70%, 20%, 10%]}", map[string]float64{"a": 0.7, "b": 0.2, "c": 0.1}},
		{"{pick: [a, b, c, d]}", map[string]float64{"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}},
		{"{pick: [a, b, c, d], zipf: 1.1}", map[string]float64{"a": z.Share(1), "b": z.Share(2), "c": z.Share(3), "d": z.Share(4)}},
		{"{int: 11..14, zipf: 1.1}", map[string]float64{"11": z.Share(1), "12": z.Share(2), "13": z.Share(3), "14": z.Share(4)}},
		{"{int: 1..4}", map[string]float64{"1": 0.25, "2": 0.25, "3": 0.25, "4": 0.25}},
	}
	for _, test := range tests {
		v, err := valueOf(t, test.value)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{}
		for i := range draws {
			counts[string(v.Append(nil, Turn{Seed: 7, Client: i % 100, Iteration: i / 100}))]++
		}
		sum := 0.0
		for text, share := range test.shares {
			sum += math.Pow(float64(counts[text])-share*draws, 2) / (share * draws)
		}
		if sum > 16.27 || len(counts) != len(test.shares) { // 3 degrees of freedom
			t.Errorf("%s: chi-square %.1f, drawn %v", test.value, sum, counts)
		}
	}
}

func TestValuesThatAreNone(t *testing.T) {
	t.Parallel()
	tests := []struct{ value, want string }{
		{"uid", `values.v: unknown word "uid", did you mean "uuid"?`},
		{"{}", "values.v says nothing"},
		{"{int: 1..2, hex: 3}", "values.v: a value says one thing, and both int and hex stand here"},
		{"{int: 5}", `values.v.int: "5" is no range of whole numbers`},
		{"{int: 5..1}", `values.v.int: the range "5..1" ends below its beginning`},
		{"{int: 0..9007199254740993}", "values.v.int: 9007199254740993 is more than the limit"},
		{"{int: 1..9, zipf: 0}", `values.v.zipf: "0" is no exponent`},
		{"{int: 1..9, zipf: 11}", `values.v.zipf: "11" is no exponent`},
		{"{int: 1..2000000, zipf: 1}", "values.v.zipf: a law of popularity goes over at most 1048576 numbers, not 2000000"},
		{"{hex: 16, zipf: 1}", "values.v.zipf goes with pick or int only"},
		{"{hex: 5000}", "values.v.hex: 5000 is more than the limit, 4096"},
		{"{hex: 1, shares: [100%]}", "values.v.shares goes with pick only"},
		{"{pick: []}", "values.v.pick: there is nothing to pick"},
		{"{pick: [a], shares: [50%, 50%]}", "values.v.shares: there are 2 shares for 1 item"},
		{"{pick: [a, b], shares: [50%, 40%]}", "values.v.shares: the shares make 90%"},
		{"{pick: [a, b], shares: [50%, 50%], zipf: 1}", "values.v.shares stands beside zipf"},
		{"{sequence: 1, per: use}", "values.v.per: a sequence rises with each act"},
		{"{hex: 1, per: run}", `values.v.per: unknown word "run"`},
	}
	for _, test := range tests {
		if _, err := valueOf(t, test.value); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", test.value, err, test.want)
		}
	}
	for _, name := range []string{"client", "reply", "iteration", "env", "n"} {
		if _, err := Parse("s.yaml", []byte(whole+"values: {"+name+": uuid}\n"), nil); err == nil {
			t.Errorf("a value may have the name %s", name)
		}
	}
}

func TestValuesAllocateNothing(t *testing.T) {
	if slowness > 1 {
		t.Skip("the race detector allocates")
	}
	dst := make([]byte, 0, 4096)
	for _, value := range []string{"{int: 1..100000, zipf: 1}", "uuid", "{text: 5..40}", "{hex: 32}", "{pick: [a, b], shares: [50%, 50%]}", "{sequence: 1}"} {
		v, err := valueOf(t, value)
		if err != nil {
			t.Fatal(err)
		}
		turn := Turn{Seed: 7, Load: "edits", Group: "members", Clients: 10}
		if n := testing.AllocsPerRun(100, func() { turn.Iteration++; dst = v.Append(dst[:0], turn) }); n != 0 {
			t.Errorf("%s allocates %v times", value, n)
		}
	}
}
