package proxy

import (
	"encoding/json"
	"net/http"
)

func (p *Proxies) show(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, show(one), nil
}

func (p *Proxies) update(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	s := one.Settings()
	if err := read(r, &s); err != nil {
		return 0, nil, err
	}
	if err := one.Update(s); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, show(one), nil
}

func (p *Proxies) remove(r *http.Request) (int, any, error) {
	return http.StatusNoContent, nil, p.Delete(r.PathValue("proxy"))
}

func (p *Proxies) toxics(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, one.Toxics(), nil
}

func (p *Proxies) addToxic(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	t := Toxic{Toxicity: 1}
	if err := read(r, &t); err != nil {
		return 0, nil, err
	}
	t, err = one.Add(t)
	return http.StatusOK, t, err
}

func (p *Proxies) showToxic(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	t, err := one.Toxic(r.PathValue("toxic"))
	return http.StatusOK, t, err
}

func (p *Proxies) changeToxic(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	var change struct {
		Attributes json.RawMessage `json:"attributes"`
		Toxicity   *float64        `json:"toxicity"`
	}
	if err := read(r, &change); err != nil {
		return 0, nil, err
	}
	t, err := one.Change(r.PathValue("toxic"), change.Attributes, change.Toxicity)
	return http.StatusOK, t, err
}

func (p *Proxies) removeToxic(r *http.Request) (int, any, error) {
	one, err := p.Get(r.PathValue("proxy"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, one.Remove(r.PathValue("toxic"))
}
