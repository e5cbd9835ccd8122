package holidays

import (
	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/ar"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/mw"
	"github.com/rickar/cal/v2/nc"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// countries are those that the calendars are kept for, by ISO 3166-1 alpha-2 code.
var countries = map[string]country{
	"AR": {whole: ar.Holidays},
	"AT": {whole: at.Holidays},
	"AU": {whole: common(australia), regions: australia},
	"BE": {whole: be.Holidays},
	"BG": {whole: bg.Holidays},
	"BR": {whole: br.Holidays},
	"CA": {whole: ca.Holidays},
	"CH": {whole: ch.Holidays, regions: switzerland},
	"CZ": {whole: cz.Holidays},
	"DE": {whole: de.Holidays, regions: germany},
	"DK": {whole: dk.Holidays},
	"ES": {whole: es.Holidays},
	"FR": {whole: fr.Holidays},
	"GB": {whole: gb.Holidays},
	"GR": {whole: gr.Holidays},
	"HR": {whole: hr.Holidays},
	"IE": {whole: ie.Holidays},
	"IT": {whole: it.Holidays},
	"JP": {whole: jp.Holidays},
	"LT": {whole: lt.Holidays},
	"LV": {whole: lv.Holidays},
	"MW": {whole: mw.Holidays},
	"NC": {whole: nc.Holidays},
	"NL": {whole: nl.Holidays},
	"NO": {whole: no.Holidays},
	"NZ": {whole: nz.Holidays},
	"PL": {whole: pl.Holidays},
	"RO": {whole: ro.Holidays},
	"RU": {whole: ru.Holidays},
	"SE": {whole: se.Holidays},
	"SI": {whole: si.Holidays},
	"SK": {whole: sk.Holidays},
	"UA": {whole: ua.Holidays},
	"US": {whole: us.Holidays},
	"ZA": {whole: za.Holidays},
}

var australia = map[string][]*cal.Holiday{
	"ACT": au.HolidaysACT, "NSW": au.HolidaysNSW, "NT": au.HolidaysNT, "QLD": au.HolidaysQLD,
	"SA": au.HolidaysSA, "TAS": au.HolidaysTAS, "VIC": au.HolidaysVIC, "WA": au.HolidaysWA,
}

var switzerland = map[string][]*cal.Holiday{
	"AG": ch.HolidaysAG, "AI": ch.HolidaysAI, "AR": ch.HolidaysAR, "BE": ch.HolidaysBE,
	"BL": ch.HolidaysBL, "BS": ch.HolidaysBS, "FR": ch.HolidaysFR, "GE": ch.HolidaysGE,
	"GL": ch.HolidaysGL, "GR": ch.HolidaysGR, "JU": ch.HolidaysJU, "LU": ch.HolidaysLU,
	"NE": ch.HolidaysNE, "NW": ch.HolidaysNW, "OW": ch.HolidaysOW, "SG": ch.HolidaysSG,
	"SH": ch.HolidaysSH, "SO": ch.HolidaysSO, "SZ": ch.HolidaysSZ, "TG": ch.HolidaysTG,
	"TI": ch.HolidaysTI, "UR": ch.HolidaysUR, "VD": ch.HolidaysVD, "VS": ch.HolidaysVS,
	"ZG": ch.HolidaysZG, "ZH": ch.HolidaysZH,
}

var germany = map[string][]*cal.Holiday{
	"BB": de.HolidaysBB, "BE": de.HolidaysBE, "BW": de.HolidaysBW, "BY": de.HolidaysBY,
	"HB": de.HolidaysHB, "HE": de.HolidaysHE, "HH": de.HolidaysHH, "MV": de.HolidaysMV,
	"NI": de.HolidaysNI, "NW": de.HolidaysNW, "RP": de.HolidaysRP, "SH": de.HolidaysSH,
	"SL": de.HolidaysSL, "SN": de.HolidaysSN, "ST": de.HolidaysST, "TH": de.HolidaysTH,
}
