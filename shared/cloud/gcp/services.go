package gcp

// categories are the FOCUS service categories by Google's ids of services, from the public catalogue. Everything else is
// "Other", which FOCUS has for that.
var categories = map[string]string{
	"6F81-5844-456A": "Compute",                   // Compute Engine
	"CCD8-9BF1-090E": "Compute",                   // Kubernetes Engine
	"152E-C115-5142": "Compute",                   // Cloud Run
	"29E7-DA93-CA13": "Compute",                   // Cloud Run functions
	"F17B-412E-CB64": "Compute",                   // App Engine
	"95FF-2EF5-5EA1": "Storage",                   // Cloud Storage
	"9662-B51E-5089": "Databases",                 // Cloud SQL
	"CC63-0873-48FD": "Databases",                 // Spanner
	"EE2C-7FAC-5E08": "Databases",                 // Firestore
	"24E6-581D-38E5": "Analytics",                 // BigQuery
	"650B-3C82-34DB": "Analytics",                 // BigQuery Storage API
	"A1E8-BE35-7EBC": "Integration",               // Pub/Sub
	"E505-1604-58F8": "Networking",                // Networking
	"5490-F7B7-8DF6": "Management and Governance", // Cloud Logging
	"58CD-E7C3-72CA": "Management and Governance", // Cloud Monitoring
	"C7E2-9256-1C43": "AI and Machine Learning",   // Vertex AI
	"EE82-7A5E-871C": "Security",                  // Secret Manager
}

func serviceCategory(id string) string {
	if c, ok := categories[id]; ok {
		return c
	}
	return "Other"
}
