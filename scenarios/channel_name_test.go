package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Names of channels take the syntax of all texts.
func TestChannelNamesAreFilledIn(t *testing.T) {
	t.Parallel()
	f := parse(t, `version: 1
clients:
  members: {count: 4, channel: {pattern: "${group|upper}-${n}", count: 2}}
  users: {count: 2, channel: "$${user}-${client}"}
  backend: {count: 2, stream: none}
load:
  talk: {by: members, rate: 1/s, for: 1s}
  reply: {by: members, rate: 1/s, for: 1s, channel: "re-${channel}-${n}-${client}"}
  news: {by: backend, rate: 1/s, for: 1s, channel: "${group}-$${x}"}
`)
	got := []string{fmt.Sprint(f.Clients[0].ChannelNames), fmt.Sprint(f.Clients[1].ChannelNames)}
	for i := range f.Load {
		c, _ := group(f.Clients, f.Load[i].By)
		got = append(got, f.Load[i].ChannelOf(&c, 1))
	}
	want := []string{"[MEMBERS-1 MEMBERS-2]", "[${user}-1 ${user}-2]", "MEMBERS-2", "re-MEMBERS-2-2-2", "backend-${x}"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	literal := Load{Channel: "user-${client}"}
	if got := literal.ChannelOf(&f.Clients[0], 6); got != "user-7" {
		t.Errorf("a literal of Go sends to %q", got)
	}
}

// A header takes filters, and its secrets are known in every form; nothing of it stands in the text of the file.
func TestHeadersAreFilledIn(t *testing.T) {
	t.Parallel()
	text := whole + `server: {headers: {Authorization: "Basic ${env.TOKEN|base64}", B: "${env.NONE|default:in-clear-here}", C: "$${x}"}}` + "\n"
	f := parse(t, text)
	if got := f.Server.Headers; got[0].Value != "Basic czNjcjN0LXRva2Vu" || got[1].Value != "in-clear-here" || got[2].Value != "${x}" {
		t.Errorf("got %q %q %q", got[0].Value, got[1].Value, got[2].Value)
	}
	for _, secret := range []string{"czNjcjN0LXRva2Vu", "s3cr3t-token", "in-clear-here"} {
		if !slices.Contains(f.Secrets(), secret) || strings.Contains(f.Text, secret) {
			t.Errorf("%s is no secret: %q in\n%s", secret, f.Secrets(), f.Text)
		}
	}
	if !strings.Contains(f.Text, "${env.TOKEN|base64}") {
		t.Errorf("the text does not say where its secret comes from:\n%s", f.Text)
	}
	for _, header := range []string{`"Bearer ${env.TOKEN s3cr3t"`, `"s3cr3t ${env.TOKEN|hex}"`, `"s3cr3t ${}"`} {
		_, err := Parse("s.yaml", []byte(whole+"server: {headers: {A: "+header+"}}\n"), tokens)
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", header, err)
		}
	}
}
