package clients

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"holobench/history"
	"holobench/wire"
)

// told is what one read of a socket brings.
type told struct {
	bytes         []byte
	notBefore, at int64
}

// toldConn is a socket whose reads are those that a test tells it.
type toldConn struct {
	net.Conn // takes what the client writes

	reads  chan told
	source wire.StampSource
	left   told
}

func (c *toldConn) ReadStamped(p []byte) (n int, notBefore, at int64, err error) {
	if len(c.left.bytes) == 0 {
		next, ok := <-c.reads
		if !ok {
			return 0, 0, 0, io.EOF
		}
		c.left = next
	}
	n = copy(p, c.left.bytes)
	c.left.bytes = c.left.bytes[n:]
	return n, c.left.notBefore, c.left.at, nil
}

func (c *toldConn) Read(p []byte) (int, error) {
	n, _, _, err := c.ReadStamped(p)
	return n, err
}

func (c *toldConn) StampSource() wire.StampSource { return c.source }

// serverSide is the server's end of a toldConn. What it writes becomes the reads of the client at once, or is kept when kept is not nil.
type serverSide struct {
	net.Conn // brings what the client writes

	reads chan told
	kept  *[][]byte
}

func (s *serverSide) Write(p []byte) (int, error) {
	if s.kept != nil {
		*s.kept = append(*s.kept, bytes.Clone(p))
	} else {
		s.reads <- told{bytes: bytes.Clone(p), notBefore: 1, at: 2}
	}
	return len(p), nil
}

// encrypted is a client's connection after the handshake, and the records in which the server then says each of texts.
func encrypted(t *testing.T, source wire.StampSource, texts ...string) (conn *tlsConn, reads chan told, records [][]byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"target"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	reads = make(chan told, 100)
	side := &serverSide{Conn: far, reads: reads}
	server := tls.Server(side, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, DynamicRecordSizingDisabled: true,
	})
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()

	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	crowd := &Crowd{Host: "target", TLS: &tls.Config{RootCAs: roots}, Names: new(history.Names)}
	crowd.init()
	stamped, err := crowd.encrypt(t.Context(), &toldConn{Conn: near, reads: reads, source: source}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	side.kept = &records
	for _, text := range texts {
		if _, err := io.WriteString(server, text); err != nil {
			t.Fatal(err)
		}
	}
	if len(records) != len(texts) {
		t.Fatalf("%d texts became %d records", len(texts), len(records))
	}
	return stamped.(*tlsConn), reads, records
}

// seen is what one read of a client says.
type seen struct {
	text          string
	notBefore, at int64
	exact         bool
}

// TestStampsOfRecords: a record arrived when its last byte did. Several of one read share its times, and only the last is exact,
// when nothing came behind it.
func TestStampsOfRecords(t *testing.T) {
	t.Parallel()
	for _, source := range []wire.StampSource{wire.StampKernel, wire.StampUser} {
		conn, reads, r := encrypted(t, source, "one", "two", "three", "four", "five", "six")
		half := len(r[3]) / 2
		reads <- told{r[0], 10, 20}
		reads <- told{slices.Concat(r[1], r[2], r[3][:half]), 20, 30}
		reads <- told{r[3][half : half+1], 30, 40}
		reads <- told{slices.Concat(r[3][half+1:], r[4]), 40, 50}
		reads <- told{r[5][:3], 50, 60} // within its head
		reads <- told{r[5][3:], 60, 70}
		close(reads)
		kernel := source == wire.StampKernel
		for _, want := range []seen{
			{"one", 10, 20, kernel},
			{"two", 20, 30, false},
			{"three", 20, 30, false}, // a part of the next one came behind it: when, nobody knows
			{"four", 40, 50, false},
			{"five", 40, 50, kernel},
			{"six", 60, 70, kernel},
		} {
			s, n, notBefore, at, err := conn.ReadBorrowed(&conn.records.crowd.borrowed)
			if err != nil {
				t.Fatal(err)
			}
			got := seen{string(s.Bytes()[:n]), notBefore, at, exactStamps(conn)}
			conn.records.crowd.giveBack(s.(*scratch))
			if got != want {
				t.Errorf("source %d: got %+v, want %+v", source, got, want)
			}
		}
		if _, _, _, _, err := conn.ReadBorrowed(&conn.records.crowd.borrowed); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
	}
}

// A buffer that is smaller than a record gets it in parts, all of them with its times.
func TestRecordInParts(t *testing.T) {
	t.Parallel()
	conn, reads, r := encrypted(t, wire.StampKernel, "abcdef", "g")
	reads <- told{r[0], 10, 20}
	reads <- told{r[1], 20, 30}
	p := make([]byte, 4)
	n, notBefore, at, err := conn.ReadStamped(p)
	if string(p[:n]) != "abcd" || notBefore != 10 || at != 20 || err != nil {
		t.Errorf("%q in (%d, %d], %v", p[:n], notBefore, at, err)
	}
	for _, want := range []seen{{"ef", 10, 20, true}, {"g", 20, 30, true}} { // also by the other way to read, which must not wait for more
		s, n, notBefore, at, err := conn.ReadBorrowed(&conn.records.crowd.borrowed)
		if err != nil {
			t.Fatal(err)
		}
		if got := (seen{string(s.Bytes()[:n]), notBefore, at, exactStamps(conn)}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// A read of the socket that filled its buffer did not empty it: what it brought last is not exact.
func TestFullReadOfRecords(t *testing.T) {
	t.Parallel()
	texts := []string{string(make([]byte, 16000)), string(make([]byte, 16000)), string(make([]byte, 16000)), string(make([]byte, 16000)), string(make([]byte, 1426))}
	conn, reads, records := encrypted(t, wire.StampKernel, texts...)
	all := slices.Concat(records...)
	if len(all) != 64<<10 {
		t.Fatalf("the records have %d bytes, which fill no buffer of %d", len(all), 64<<10)
	}
	reads <- told{all, 10, 20}
	for i := range texts {
		s, n, _, _, err := conn.ReadBorrowed(&conn.records.crowd.borrowed)
		if err != nil || n != len(texts[i]) || exactStamps(conn) {
			t.Errorf("record %d: %d bytes, %v, exact: %v", i, n, err, exactStamps(conn))
		}
		conn.records.crowd.giveBack(s.(*scratch))
	}
}

// A client that does not know the server does not speak to it.
func TestServerThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	conn, reads, _ := encrypted(t, wire.StampKernel)
	crowd := conn.records.crowd
	near, far := net.Pipe()
	defer far.Close()
	go io.Copy(io.Discard, far)
	reads <- told{bytes: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}
	if _, err := crowd.encrypt(context.Background(), &toldConn{Conn: near, reads: reads}, false); err == nil {
		t.Error("it takes an answer without TLS for TLS")
	}
}

// FuzzRecords: whatever comes, cut anywhere, comes out again, and no read goes over the end of a record.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("\x16\x03\x03\x00\x02ab\x17\x03\x03\x00\x01c"), uint8(3), uint8(4))
	f.Add([]byte("\x17\x03\x03\x00\x00\x17\x03\x03\x00\x00"), uint8(1), uint8(1))
	f.Add([]byte("\x17\x03\x03\xff\xffabc"), uint8(200), uint8(200))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(7), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, cut, size uint8) {
		reads := make(chan told, len(data)+1)
		for rest := data; len(rest) > 0; {
			n := min(len(rest), int(cut)%32+1)
			reads <- told{bytes: rest[:n]}
			rest = rest[n:]
		}
		close(reads)
		ends := map[int]bool{} // offsets at which a record ends, by the definition
		for at := 0; at+recordHead <= len(data); {
			at += recordHead + int(data[at+3])<<8 + int(data[at+4])
			ends[at] = true
		}
		crowd := &Crowd{Names: new(history.Names)}
		crowd.init()
		r := &recordReader{StampedConn: &toldConn{reads: reads}, crowd: crowd}
		var got []byte
		p := make([]byte, int(size)%64+1)
		for {
			n, err := r.Read(p)
			for at := len(got) + 1; at < len(got)+n; at++ {
				if ends[at] {
					t.Fatalf("a read from %d to %d goes over the end of a record at %d", len(got), len(got)+n, at)
				}
			}
			got = append(got, p[:n]...)
			if err != nil {
				break
			}
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("%q came out as %q", data, got)
		}
	})
}
