package stack

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/cost-agent/cost-agent/local/sandbox"
	"github.com/cost-agent/cost-agent/shared/fault"
)

// controls are the estate's levers: its time, the faults that happen to it, and its ground truth. They belong to the sandbox, not
// to the API, and like everything here they listen on this machine only.
func controls(estate *sandbox.Estate) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox/clock", func(w http.ResponseWriter, _ *http.Request) { say(w, clockOf(estate)) })
	mux.HandleFunc("POST /sandbox/clock", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Hours float64 `json:"advance_hours"`
		}
		if !read(w, r, &in) {
			return
		}
		const most = 24 * 366
		if in.Hours <= 0 || in.Hours > most {
			refuse(w, fault.Input("advance_hours", "", "is a number of hours greater than 0 and at most %d", most))
			return
		}
		estate.Clock().Advance(time.Duration(in.Hours * float64(time.Hour)))
		say(w, clockOf(estate))
	})
	mux.HandleFunc("POST /sandbox/faults", func(w http.ResponseWriter, r *http.Request) {
		var in sandbox.Fault
		if !read(w, r, &in) {
			return
		}
		id, err := estate.Inject(in)
		if err != nil {
			refuse(w, err)
			return
		}
		say(w, map[string]int{"id": id})
	})
	mux.HandleFunc("DELETE /sandbox/faults", func(w http.ResponseWriter, _ *http.Request) {
		if err := estate.ClearFaults(); err != nil {
			refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /sandbox/truth", func(w http.ResponseWriter, _ *http.Request) { say(w, estate.Truth()) })
	return mux
}

func clockOf(e *sandbox.Estate) map[string]time.Time {
	return map[string]time.Time{"now": e.Clock().Now()}
}

// read takes the body; it answers itself when that is not what it should be.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		refuse(w, fault.Wrap(err, fault.Invalid, "The body is not the JSON that is expected here: %s.", err))
		return false
	}
	return true
}

func say(w http.ResponseWriter, what any) {
	body, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the caller is gone, nobody to tell
}

func refuse(w http.ResponseWriter, err error) {
	public, status := fault.Public(err), http.StatusInternalServerError
	if public.Code == fault.Invalid {
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	body, err := json.Marshal(struct {
		Status int        `json:"status"`
		Code   fault.Code `json:"code"`
		Detail string     `json:"detail"`
	}{status, public.Code, public.Message})
	if err == nil {
		_, _ = w.Write(body) // as above
	}
}
