package scenarios

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// feeding parses a scenario beside a CSV file; rest is what else stands in it.
func feeding(t *testing.T, table, feed, rest string) (*File, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	return Parse(filepath.Join(dir, "s.yaml"), []byte(whole+"feeds: {user: "+feed+"}\n"+rest), nil)
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	const table = "\ufeffname,password\r\nann,s3cr3t-1\r\n\r\n\"bob, \"\"b\"\"\n2\",s3cr3t-2\r\ncy,\r\nann,s3cr3t-1\n"
	f, err := feeding(t, table, "{csv: users.csv, take: next, secret: password}", "")
	if err != nil {
		t.Fatal(err)
	}
	feed := &f.Feeds[0]
	if feed.Name != "user" || feed.Take != TakeNext || feed.Rows != 4 || !slices.Equal(feed.Columns, []string{"name", "password"}) || !slices.Equal(feed.Secret, []string{"password"}) {
		t.Errorf("got %+v", feed)
	}
	if got := f.Secrets(); !slices.Equal(got, []string{"s3cr3t-1", "s3cr3t-2"}) {
		t.Errorf("the secrets are %q", got)
	}
	open, err := OpenFeed(feed)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for i, want := range [][]string{{"ann", "s3cr3t-1"}, {"bob, \"b\"\n2", "s3cr3t-2"}, {"cy", ""}, {"ann", "s3cr3t-1"}} {
		if got, err := open.Row(i); err != nil || !slices.Equal(got, want) {
			t.Errorf("row %d is %q (%v), want %q", i, got, err, want)
		}
	}
	for _, i := range []int{-1, 4} {
		if got, err := open.Row(i); err == nil {
			t.Errorf("row %d is %q", i, got)
		}
	}
	if err := os.WriteFile(feed.Path, []byte("name,password\nann,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFeed(feed); err == nil || !strings.HasSuffix(err.Error(), "users.csv has changed since it was checked") {
		t.Errorf("got %v", err)
	}
}

func TestFeedsThatAreNone(t *testing.T) {
	t.Parallel()
	const fine = "name,password\nann,s3cr3t\n"
	many := "name,password\n" + strings.Repeat("ann,x\n", 3) + "bob\n"
	tests := []struct{ table, feed, want string }{
		{fine, "{csv: nobody.csv}", "s.yaml:4:21: feeds.user.csv: there is no file"},
		{fine, "{csv: .}", "feeds.user.csv: \""},
		{fine, "{take: next}", "s.yaml:4:9: feeds.user: csv is missing"},
		{fine, "{csv: users.csv, take: one}", `feeds.user.take: unknown word "one"`},
		{fine, "{csv: users.csv, secret: [pasword]}", `feeds.user.secret[1]: there is no column "pasword", did you mean "password"?`},
		{"", "users.csv", "users.csv:1:1: the file is empty"},
		{"name,password\n", "users.csv", "users.csv:2:1: the file has a first row with the names of its columns, and no other"},
		{"name,name\na,b\n", "users.csv", `users.csv:1:1: the column "name" stands there twice`},
		{"name,pass word\na,b\n", "users.csv", "users.csv:1:1: the column 2 has no name that a template can have"},
		{many, "users.csv", "users.csv:5:1: the row has not as many cells as the first one, 2"},
		{"name\nann\nbo\"b\n", "users.csv", "users.csv:3:3: the row is no CSV: bare \" in non-quoted-field"},
		{"name\nann\n\"bob\n", "users.csv", "users.csv:3:"},
		{"name\nann\nb\xffb\n", "users.csv", "users.csv:3:1: the cell under name is not UTF-8 text"},
		{"name\n" + strings.Repeat("x", 40000) + "\n", "users.csv", "users.csv:2:1: the cell under name has 40000 bytes, the limit is 32768"},
	}
	for _, test := range tests {
		_, err := feeding(t, test.table, test.feed, "")
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%.40q %s:\ngot  %v\nwant %s", test.table, test.feed, err, test.want)
		}
		if _, ok := errors.AsType[Errors](err); !ok {
			t.Errorf("the error is %#v", err)
		}
	}
}

// A flow names cells; a feed with a row for each client needs as many.
func TestFeedsInFlows(t *testing.T) {
	t.Parallel()
	const table = "name,password\nann,s3cr3t-1\nbob,s3cr3t-2\n"
	parse := func(take, only, text string) error {
		t.Helper()
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Parse(filepath.Join(dir, "s.yaml"), []byte("version: 1\nfeeds: {user: {csv: users.csv, take: "+take+"}}\nclients: {members: {count: 10, channel: lobby}}\n"+
			"load: {talk: {by: {clients: members, only: "+only+"}, rate: 5/s, for: 10s, flow: [{log: \""+text+"\"}]}}\n"), nil)
		return err
	}
	tests := []struct{ take, only, text, want string }{
		{"per-client", "2", "${user.name}", ""},
		{"next", "10", "${user.name|json} ${user.password}", ""},
		{"random", "10", "${user.name}", ""},
		{"per-client", "3", "${user.name}", "load.talk.flow[1].log: 3 clients are to have a row each of the feed user, which has 2 rows"},
		{"next", "3", "${user.nme}", `load.talk.flow[1].log: nothing is known under the name "user.nme", did you mean "user.name"?`},
		{"next", "3", "${user}", `nothing is known under the name "user"`},
	}
	for _, test := range tests {
		err := parse(test.take, test.only, test.text)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}

func TestRowsOfTurns(t *testing.T) {
	t.Parallel()
	rows := func(take string, turns ...Turn) string {
		f := Feed{Name: "user", Take: take, Rows: 5}
		var all []string
		for _, turn := range turns {
			all = append(all, strconv.Itoa(f.RowOf(turn)))
		}
		return strings.Join(all, " ")
	}
	turns := []Turn{{Client: 0, Clients: 3}, {Client: 1, Clients: 3}, {Client: 2, Clients: 3}, {Client: 0, Clients: 3, Iteration: 1}, {Client: 1, Clients: 3, Iteration: 1}, {Client: 2, Clients: 3, Iteration: 1}}
	if got := rows(TakePerClient, turns...); got != "0 1 2 0 1 2" {
		t.Errorf("per client: %s", got)
	}
	if got := rows(TakeNext, turns...); got != "0 1 2 3 4 0" {
		t.Errorf("next: %s", got)
	}
	f := Feed{Name: "user", Take: TakeRandom, Rows: 5}
	counts := make([]int, 5)
	for i := range 5000 {
		turn := Turn{Seed: 7, Load: "edits", Client: i % 10, Iteration: i / 10, Use: i}
		row := f.RowOf(turn)
		counts[row]++
		turn.Use++
		if f.RowOf(turn) != row {
			t.Fatal("two cells of one act are of two rows")
		}
	}
	if least := slices.Min(counts); least < 880 { // 1000, less 4 standard deviations
		t.Errorf("random: %v", counts)
	}
}

// A row reads as encoding/csv reads it.
func FuzzSplitRow(f *testing.F) {
	for _, text := range []string{"a,b\n", "\"a,\"\"b\"\"\r\nc\",\r\n", ",,\n", "\"\"", "a\"b\n", "\"a\"b\n", "\r\na\r\n", "\r0", "x\r\r\n\r", "x\r,y\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		reader := csv.NewReader(bytes.NewReader(text))
		want, err := reader.Read()
		if err != nil {
			return
		}
		if _, err := reader.Read(); !errors.Is(err, io.EOF) {
			return // several rows
		}
		got := splitRow(text)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	})
}

// A million rows are gone through once, and what is kept of them is where they begin.
func BenchmarkFeed(b *testing.B) {
	path := filepath.Join(b.TempDir(), "users.csv")
	var text strings.Builder
	text.WriteString("name,email\n")
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "user-%d,user-%d@example.org\n", i, i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	f := Feed{Name: "user", Path: path, Columns: []string{"name", "email"}, Rows: 1_000_000}
	b.ReportAllocs()
	for b.Loop() {
		table, err := OpenFeed(&f)
		if err != nil {
			b.Fatal(err)
		}
		if row, err := table.Row(999_999); err != nil || row[0] != "user-999999" {
			b.Fatalf("%q: %v", row, err)
		}
		if err := table.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// What is secret is in no message that prints a whole scenario, in whatever form.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte("name,password\nann,s3cr3t-cell\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Parse(filepath.Join(dir, "s.yaml"), []byte("version: 1\nfeeds: {user: {csv: users.csv, take: next, secret: [password]}}\nclients: {members: {count: 10, channel: lobby}}\n"+
		"load: {talk: {by: members, rate: 5/s, for: 10s, channel: \"${client}-${env.TOKEN}\", flow: [{log: \"${env.TOKEN} ${user.password}\"}]}}\n"+
		"at_end: {converge: {get: \"/${env.TOKEN}\"}}\n"), tokens)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"s3cr3t-token", "s3cr3t-cell"} {
		if !slices.Contains(f.Secrets(), secret) {
			t.Errorf("%s is no secret", secret)
		}
		printed := fmt.Sprintf("%v %+v %#v %+v %+v %#v", f, f, f, f.Load[0].Flow[0], f.AtEnd.Converge, f.Load[0].Flow[0])
		if strings.Contains(printed, secret) {
			t.Errorf("printed with %s: %s", secret, printed)
		}
	}
}

// A file of any bytes is a table or has an error at a place of it; the rows of a table are those of encoding/csv.
func FuzzFeed(f *testing.F) {
	for _, text := range []string{"", "a\n", "a,b\n1,2\n\n3,\"4\r\n\"\"\"\n", "\ufeffa\r\n1\r\n\r\n2\r", "a\n\"\n", "a\n1,2\n", "a,a\n1,2\n", "1\n2\n", "a\n\xff\n", "a\n\n\n\"x\"\n\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := feedScan{path: "f.csv", indexed: true}
		if wrong := s.scan(bytes.NewReader(text)); wrong != nil {
			lines := bytes.Count(text, []byte("\n")) + 1
			if wrong.Line < 1 || wrong.Line > lines+1 || wrong.Column < 1 || wrong.Message == "" || wrong.File != "f.csv" {
				t.Errorf("the error is %#v", wrong)
			}
			return
		}
		all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		if err != nil || len(all) != s.rows+1 || len(s.offsets) != s.rows || len(s.columns) != len(all[0]) {
			t.Fatalf("%d rows at %v with %q (%v), want %q", s.rows, s.offsets, s.columns, err, all)
		}
		ends := append(slices.Clone(s.offsets[1:]), int64(len(text)))
		for i, from := range s.offsets {
			if got := splitRow(text[from:ends[i]]); !slices.Equal(got, all[i+1]) {
				t.Errorf("row %d of %q is %q, want %q", i, text, got, all[i+1])
			}
		}
	})
}
