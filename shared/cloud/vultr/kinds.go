package vultr

import (
	"strings"

	"github.com/cost-agent/cost-agent/shared/resource"
)

// kind is what a product is in the words of FOCUS.
type kind struct {
	service, category, subcategory, charge string
	typ                                    resource.Type // of what it is for; empty when the inventory has no such thing
}

// kinds knows products by a word of their name, the more special ones first.
var kinds = []struct {
	word, category, subcategory, charge string
	typ                                 resource.Type
}{
	{"tax", "Other", "Other (Other)", "Tax", ""},
	{"vat", "Other", "Other (Other)", "Tax", ""},
	{"credit", "Other", "Other (Other)", "Credit", ""},
	{"snapshot", "Storage", "Backup Storage", "Usage", resource.Snapshot},
	{"backup", "Storage", "Backup Storage", "Usage", ""},
	{"block storage", "Storage", "Block Storage", "Usage", resource.Volume},
	{"object storage", "Storage", "Object Storage", "Usage", ""},
	{"file system", "Storage", "File Storage", "Usage", ""},
	{"database", "Databases", "Relational Databases", "Usage", resource.Database},
	{"kubernetes", "Compute", "Containers", "Usage", ""},
	{"container registry", "Developer Tools", "Other (Developer Tools)", "Usage", ""},
	{"load balancer", "Networking", "Network Connectivity", "Usage", resource.LoadBalancer},
	{"reserved ip", "Networking", "Network Connectivity", "Usage", resource.Address},
	{"bandwidth", "Networking", "Network Connectivity", "Usage", ""},
	{"cdn", "Networking", "Content Delivery", "Usage", ""},
	{"inference", "AI and Machine Learning", "Generative AI", "Usage", ""},
	{"gpu", "Compute", "Virtual Machines", "Usage", resource.Instance},
	{"bare metal", "Compute", "Other (Compute)", "Usage", resource.BareMetal},
	{"compute", "Compute", "Virtual Machines", "Usage", resource.Instance},
}

// kindOf finds what a product is; an unknown one is used like the others.
func kindOf(product string) kind {
	name := product
	if name == "" {
		name = "Vultr"
	}
	words := " " + strings.ToLower(product) + " "
	for _, k := range kinds {
		if at := strings.Index(words, " "+k.word); at >= 0 {
			return kind{name, k.category, k.subcategory, k.charge, k.typ}
		}
	}
	return kind{name, "Other", "Other (Other)", "Usage", ""}
}
