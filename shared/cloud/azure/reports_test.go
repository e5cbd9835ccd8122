package azure_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cost-agent/cost-agent/shared/cloud/azure"
)

// reports is what writes cost details reports in the world, in the way Azure documents: 202 with a Location and Retry-After
// until a report is there, then 200 with links to files that open without a token. The SDK's own fake keeps one operation for a
// scope at a time, where two are ordered together here.
type reports struct {
	w *world
	// files are those of a report, by scope and metric.
	files func(scope, metric string) [][]byte
	// polls is how often a report is asked for before it is there.
	polls int
	// told changes the operation's last answer.
	told func(answer map[string]any)
	// serve serves a file; nil serves it whole.
	serve func(out http.ResponseWriter, r *http.Request, file []byte)

	mu      sync.Mutex
	ordered []string // scope metric from to
	asked   map[string]int
}

const resultsPath = "/costDetailsOperationResults/"

func (w *world) reports(files func(scope, metric string) [][]byte) *reports {
	p := &reports{w: w, files: files, polls: 1, asked: map[string]int{}}
	for _, scope := range []string{"/subscriptions/" + portal, "/subscriptions/" + erp, "/providers/Microsoft.Billing"} {
		w.paths[scope+"/"] = p.dispatch
	}
	w.paths["/report-files/"] = p.file
	return p
}

func (p *reports) dispatch(out http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/providers/Microsoft.CostManagement/generateCostDetailsReport"):
		p.order(out, r)
	case strings.Contains(r.URL.Path, resultsPath):
		p.result(out, r)
	default:
		p.w.fakes(out, r, r.Header.Get(operationHeader))
	}
}

func (p *reports) order(out http.ResponseWriter, r *http.Request) {
	var body struct {
		Metric     string `json:"metric"`
		TimePeriod struct{ Start, End string }
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "Bearer azure-token" || r.Method != http.MethodPost {
		p.w.t.Errorf("%s %s with %+v: %v", r.Method, r.URL, body, err)
	}
	scope := strings.TrimSuffix(r.URL.Path, "/providers/Microsoft.CostManagement/generateCostDetailsReport")
	p.mu.Lock()
	p.ordered = append(p.ordered, fmt.Sprintf("%s %s %s %s", scope, body.Metric, body.TimePeriod.Start, body.TimePeriod.End))
	p.mu.Unlock()
	p.wait(out, scope+"/providers/Microsoft.CostManagement"+resultsPath+body.Metric)
}

func (p *reports) wait(out http.ResponseWriter, path string) {
	out.Header().Set("Location", p.w.URL+path+"?api-version=2022-10-01")
	out.Header().Set("Retry-After", "0")
	out.WriteHeader(http.StatusAccepted)
}

func (p *reports) result(out http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked[r.URL.Path]++
	n := p.asked[r.URL.Path]
	p.mu.Unlock()
	if n <= p.polls {
		p.wait(out, r.URL.Path)
		return
	}
	scope, metric, _ := strings.Cut(r.URL.Path, "/providers/Microsoft.CostManagement"+resultsPath)
	files := p.files(scope, metric)
	answer := map[string]any{"id": r.URL.Path, "name": "x", "status": "Completed"}
	if files == nil {
		answer["status"] = "NoDataFound"
	} else {
		blobs, total := []map[string]any{}, 0
		for i, f := range files {
			blobs = append(blobs, map[string]any{"blobLink": fmt.Sprintf("%s/report-files%s/%s/%d.csv?sv=1&sig=open-sesame", p.w.URL, scope, metric, i), "byteCount": len(f)})
			total += len(f)
		}
		answer["manifest"] = map[string]any{"manifestVersion": "2022-10-01", "dataFormat": "Csv", "blobCount": len(files), "byteCount": total, "compressData": false, "blobs": blobs}
	}
	if p.told != nil {
		p.told(answer)
	}
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(answer)
}

func (p *reports) file(out http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.URL.Query().Get("sig") != "open-sesame" {
		p.w.t.Errorf("%s was asked for with the authorization %q", r.URL, r.Header.Get("Authorization"))
	}
	rest := strings.TrimPrefix(r.URL.Path, "/report-files")
	parts := strings.Split(rest, "/")
	var n int
	_, _ = fmt.Sscanf(parts[len(parts)-1], "%d.csv", &n)
	metric := parts[len(parts)-2]
	text := p.files(strings.TrimSuffix(rest, "/"+metric+"/"+parts[len(parts)-1]), metric)[n]
	serve := p.serve
	if serve == nil {
		serve = func(out http.ResponseWriter, r *http.Request, file []byte) {
			if part := r.Header.Get("X-Ms-Range"); part != "" {
				r.Header.Set("Range", part)
			}
			out.Header().Set("ETag", `"1"`)
			http.ServeContent(out, r, "", time.Time{}, strings.NewReader(string(file)))
		}
	}
	serve(out, r, text)
}

// written reads reports of testdata, in so many files of about the same length, each of which has the header.
func written(t testing.TB, agreement string, files int) func(scope, metric string) [][]byte {
	t.Helper()
	all := map[string][][]byte{}
	for metric, name := range map[string]string{"ActualCost": "actual", "AmortizedCost": "amortized"} {
		text, err := os.ReadFile(filepath.Join("testdata", "details-"+agreement+"-"+name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(strings.TrimSpace(string(text))+"\r\n", "\r\n")
		header, lines := lines[0], lines[1:len(lines)-1]
		for i := range files {
			part := lines[i*len(lines)/files : (i+1)*len(lines)/files]
			all[metric] = append(all[metric], []byte(header+strings.Join(part, "")))
		}
	}
	return func(_, metric string) [][]byte { return all[metric] }
}

func (w *world) details(settings map[string]string) *azure.Collector {
	all := map[string]string{"source": "details"}
	for k, v := range settings {
		all[k] = v
	}
	return w.open("s", all)
}

// half serves half of a file with a status that says that all is well, and as if that were all of it.
func half(out http.ResponseWriter, _ *http.Request, file []byte) {
	out.Header().Set("ETag", `"1"`)
	_, _ = io.Copy(out, strings.NewReader(string(file[:len(file)/2])))
}
