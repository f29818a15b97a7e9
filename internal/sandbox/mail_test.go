package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
)

type mailItem struct {
	ID, Kind, To, State, Subject, Text, HTML string
	ImpUID                                   string `json:"imp_uid"`
	Error                                    *string
}

func TestMailbox(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	other := w.pay("trans").ImpUID
	w.Drain()
	mails := must[[]mailItem](w, "GET", "/sandbox/mails?imp_uid="+id, nil)
	if len(mails) != 2 || mails[0].Kind != "shipped" || mails[1].Kind != "paid" || mails[0].State != "sent" || mails[0].Subject == "" {
		t.Fatalf("%+v", mails)
	}
	if all := must[[]mailItem](w, "GET", "/sandbox/mails", nil); len(all) != 3 || all[0].ImpUID != other && all[1].ImpUID != other && all[2].ImpUID != other {
		t.Errorf("%+v", all)
	}
	if second := must[[]mailItem](w, "GET", "/sandbox/mails?page=2", nil); len(second) != 0 {
		t.Errorf("%+v", second)
	}
	whole := must[mailItem](w, "GET", "/sandbox/mails/"+mails[0].ID, nil)
	url := *w.life(id).DecisionURL
	if !strings.Contains(whole.Text, url) || !strings.Contains(whole.HTML, url) {
		t.Errorf("the letter does not carry the link %s", url)
	}
	w.refuse(http.StatusNotFound, "GET", "/sandbox/mails/nobody", nil, "메일")
	w.refuse(http.StatusNotFound, "GET", "/sandbox/mails?imp_uid=nobody", nil)
	w.refuse(http.StatusBadRequest, "GET", "/sandbox/mails?page=0", nil, "page")
}

// TestBounceStopsTheClock: the silence of a buyer whose mail came back is no consent.
func TestBounceStopsTheClock(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	mail := must[[]mailItem](w, "GET", "/sandbox/mails?imp_uid="+id, nil)[0]
	for range 2 {
		got := must[mailItem](w, "POST", "/sandbox/mails/"+mail.ID+"/bounce", body{"reason": "550 no such user"})
		if got.State != "bounced" || *got.Error != "550 no such user" {
			t.Errorf("%+v", got)
		}
	}
	if p := w.life(id); *p.Notice != "failed" || p.Tasks[0] != "notice_failed" {
		t.Errorf("%+v", p)
	}
	w.refuse(http.StatusNotFound, "POST", "/sandbox/mails/nobody/bounce", nil, "메일")
}

// TestMailBodyIsHarmless: a letter is shown in a frame that can do nothing.
func TestMailBodyIsHarmless(t *testing.T) {
	w := newWorld(t)
	id := w.shipped()
	mail := must[[]mailItem](w, "GET", "/sandbox/mails?imp_uid="+id, nil)[0]
	got := w.Call("GET", "/sandbox/mails/"+mail.ID+"/body", basic(w.Key, w.Secret), nil)
	policy := got.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'self'", "sandbox allow-popups"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
		t.Errorf("the policy allows too much: %s", policy)
	}
	if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(got.Raw), `<base target="_blank">`) {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
}
