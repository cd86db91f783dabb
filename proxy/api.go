package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"

	"holobench/chaos"
)

// maxBody bounds what a request to the API may bring, in bytes.
const maxBody = 1 << 20

// shown is a proxy as the API shows it.
type shown struct {
	Settings
	Toxics []Toxic `json:"toxics"`
}

func show(p *Proxy) shown { return shown{p.Settings(), p.Toxics()} }

// Handler returns the API: that of Toxiproxy, and GET /ledger. It answers nobody whom a browser has sent: a page could else
// set toxics, and open ports, on the machine of whoever looks at it.
func (p *Proxies) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(r *http.Request) (status int, body any, err error){
		"GET /version":                         p.version,
		"GET /proxies":                         p.list,
		"POST /proxies":                        p.create,
		"POST /populate":                       p.populate,
		"POST /reset":                          p.reset,
		"GET /ledger":                          p.ledger,
		"GET /proxies/{proxy}":                 p.show,
		"POST /proxies/{proxy}":                p.update,
		"PATCH /proxies/{proxy}":               p.update,
		"DELETE /proxies/{proxy}":              p.remove,
		"GET /proxies/{proxy}/toxics":          p.toxics,
		"POST /proxies/{proxy}/toxics":         p.addToxic,
		"GET /proxies/{proxy}/toxics/{toxic}":  p.showToxic,
		"POST /proxies/{proxy}/toxics/{toxic}": p.changeToxic, "PATCH /proxies/{proxy}/toxics/{toxic}": p.changeToxic,
		"DELETE /proxies/{proxy}/toxics/{toxic}": p.removeToxic,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, body, err := handle(r)
			answer(w, status, body, err)
		})
	}
	mux.HandleFunc("GET /metrics", p.metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.UserAgent(), "Mozilla/") || r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			answer(w, http.StatusForbidden, nil, errors.New("browsers are not served: a page could change what goes through: use curl or a client of Toxiproxy"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// apiError is how Toxiproxy says what is wrong.
type apiError struct {
	Message string `json:"error"`
	Status  int    `json:"status"`
}

// answer writes a body, or what is wrong, as JSON.
func answer(w http.ResponseWriter, status int, body any, err error) {
	if err != nil {
		switch {
		case errors.Is(err, errNotFound):
			status = http.StatusNotFound
		case errors.Is(err, errExists):
			status = http.StatusConflict
		case status < http.StatusBadRequest:
			status = http.StatusBadRequest
		}
		body = apiError{err.Error(), status}
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(text, '\n')) //nolint:errcheck // whoever asked has gone
}

// read reads the JSON of a request.
func read(r *http.Request, into any) error {
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("bad request body: %w", err)
	}
	return nil
}

func (p *Proxies) version(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]string{"version": p.options.Version}, nil
}

func (p *Proxies) list(*http.Request) (int, any, error) {
	all := make(map[string]shown)
	for _, one := range p.All() {
		all[one.name] = show(one)
	}
	return http.StatusOK, all, nil
}

func (p *Proxies) create(r *http.Request) (int, any, error) {
	s := Settings{Enabled: true}
	if err := read(r, &s); err != nil {
		return 0, nil, err
	}
	one, err := p.Create(s)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, show(one), nil
}

// populate makes proxies, and replaces those of the same names that differ.
func (p *Proxies) populate(r *http.Request) (int, any, error) {
	var wanted []json.RawMessage
	if err := read(r, &wanted); err != nil {
		return 0, nil, err
	}
	made := struct {
		*apiError
		Proxies []shown `json:"proxies"`
	}{Proxies: []shown{}}
	status := http.StatusCreated
	for i, text := range wanted {
		one, err := p.put(text)
		if err != nil {
			status = http.StatusBadRequest
			made.apiError = &apiError{fmt.Sprintf("the proxy %d of the list: %v", i+1, err), status}
			break
		}
		made.Proxies = append(made.Proxies, show(one))
	}
	return status, made, nil
}

func (p *Proxies) put(text json.RawMessage) (*Proxy, error) {
	s := Settings{Enabled: true}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	one, err := p.Get(s.Name)
	if err != nil {
		return p.Create(s)
	}
	return one, one.Update(s)
}

func (p *Proxies) reset(*http.Request) (int, any, error) { return http.StatusNoContent, nil, p.Reset() }

// tally is a chaos.Tally as the API shows it.
type tally struct {
	Proxy     string `json:"proxy"`
	Toxic     string `json:"toxic"`
	Kind      string `json:"kind"`
	Decisions uint64 `json:"decisions"`
	Digest    string `json:"digest"`
}

func (p *Proxies) ledger(*http.Request) (int, any, error) {
	all := []tally{}
	for _, one := range p.All() {
		for _, t := range one.Ledger() {
			all = append(all, tally{one.name, t.Fault, t.Kind, t.Decisions, t.Digest})
		}
	}
	return http.StatusOK, map[string]any{"seed": p.options.Seed, "backend": chaos.Backend, "faults": all}, nil
}

// metrics says what went through, in the format of Prometheus.
func (p *Proxies) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, m := range []struct {
		name, kind, help string
		value            func(c *counts) string
	}{
		{"connections_total", "counter", "Connections accepted.", func(c *counts) string { return fmt.Sprint(c.connections.Load()) }},
		{"connections", "gauge", "Connections open.", func(c *counts) string { return fmt.Sprint(c.open.Load()) }},
		{"failed_connections_total", "counter", "Connections whose upstream was not reached.", func(c *counts) string { return fmt.Sprint(c.failed.Load()) }},
		{"up_bytes_total", "counter", "Bytes from clients.", func(c *counts) string { return fmt.Sprint(c.up.Load()) }},
		{"down_bytes_total", "counter", "Bytes to clients.", func(c *counts) string { return fmt.Sprint(c.down.Load()) }},
	} {
		fmt.Fprintf(w, "# HELP holobench_proxy_%s %s\n# TYPE holobench_proxy_%s %s\n", m.name, m.help, m.name, m.kind)
		for _, one := range p.All() {
			fmt.Fprintf(w, "holobench_proxy_%s{proxy=%q} %s\n", m.name, one.name, m.value(&one.counts))
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	fmt.Fprintf(w, "# HELP go_memstats_heap_inuse_bytes Heap in use.\n# TYPE go_memstats_heap_inuse_bytes gauge\ngo_memstats_heap_inuse_bytes %d\n", memory.HeapInuse)
	fmt.Fprintf(w, "# HELP go_memstats_stack_inuse_bytes Stacks in use.\n# TYPE go_memstats_stack_inuse_bytes gauge\ngo_memstats_stack_inuse_bytes %d\n", memory.StackInuse)
}
