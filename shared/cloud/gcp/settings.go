package gcp

import (
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/bigquery/v2"

	"github.com/cost-agent/cost-agent/shared/fault"
	"github.com/cost-agent/cost-agent/shared/ingest"
)

// settings are where a connection reads.
type settings struct {
	table    table
	jobs     string   // the project that queries run in, and that pays for them
	projects []string // whose inventory is read; everyProject alone for all
	charged  []string // whose charges are taken from the bill; empty for all, and what belongs to no project
	only     filter
	askUse   bool // whether the bill is asked how commitments were used
}

// table is a table or view of BigQuery. Its parts are checked, for they stand in the text of a query.
type table struct{ project, dataset, name string }

func (t table) String() string { return t.project + "." + t.dataset + "." + t.name }

// kind says how the bill is written.
type kind string

const (
	standard kind = "standard" // gcp_billing_export_v1_*
	detailed kind = "detailed" // gcp_billing_export_resource_v1_*: with resources and prices
	asFOCUS  kind = "focus"    // gcp_billing_export_focus_*
)

func (t table) kind() (kind, bool) {
	switch {
	case strings.HasPrefix(t.name, "gcp_billing_export_resource_v1_"):
		return detailed, true
	case strings.HasPrefix(t.name, "gcp_billing_export_v1_"):
		return standard, true
	case strings.HasPrefix(t.name, "gcp_billing_export_focus_"):
		return asFOCUS, true
	}
	return "", false
}

// Project ids, the old ones of a domain included, and names of datasets and tables, as Google's documentation has them.
var (
	projectName = regexp.MustCompile(`^([a-z0-9.-]{1,63}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	datasetName = regexp.MustCompile(`^\w+$`)
	tableName   = regexp.MustCompile(`^\w+$`)
)

func readSettings(c ingest.Connection) (settings, error) {
	named := c.Settings["billing_table"]
	t, ok := parseTable(named)
	if !ok {
		return settings{}, fault.Input("settings.billing_table", "", "has to be project.dataset.table of a billing export, such as my-project.billing.gcp_billing_export_resource_v1_012345_6789AB_CDEF01")
	}
	s := settings{table: t, jobs: c.Settings["query_project"]}
	if s.jobs == "" {
		s.jobs = t.project
	}
	if !projectName.MatchString(s.jobs) {
		return settings{}, fault.Input("settings.query_project", "", "is not the id of a project")
	}
	var err error
	if s.projects, err = projectsOf(c, "projects"); err != nil {
		return settings{}, err
	}
	if s.charged, err = projectsOf(c, "bill_projects"); err != nil {
		return settings{}, err
	}
	s.only, s.askUse = readFilter(c.Settings), c.Settings["commitment_use"] != "off"
	return s, nil
}

// bill is the query for the month that begins at start.
func (s settings) bill(k kind, start time.Time) *bigquery.QueryRequest {
	return billQuery(s.table, k, start, s.only.services, s.charged)
}

func projectsOf(c ingest.Connection, setting string) ([]string, error) {
	all := commas(c.Settings[setting])
	for _, p := range all {
		if p == everyProject && setting == "projects" && len(all) == 1 {
			continue
		}
		if !projectName.MatchString(p) {
			return nil, fault.Input("settings."+setting, "", "has something that is not the id of a project")
		}
	}
	return all, nil
}

func parseTable(text string) (table, bool) {
	name := text[strings.LastIndexByte(text, '.')+1:]
	rest := strings.TrimSuffix(strings.TrimSuffix(text, name), ".")
	dataset := rest[strings.LastIndexByte(rest, '.')+1:]
	project := strings.TrimSuffix(strings.TrimSuffix(rest, dataset), ".")
	t := table{project: project, dataset: dataset, name: name}
	_, known := t.kind()
	return t, known && projectName.MatchString(project) && datasetName.MatchString(dataset) && tableName.MatchString(name)
}
