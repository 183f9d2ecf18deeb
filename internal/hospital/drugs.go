package hospital

// drug is a medicine as it is usually ordered here. Its code is the RxNorm ingredient: ingredients are few and lasting, and the
// strength stands in the text.
type drug struct {
	rxcui, ingredient string
	text              string // the product
	route             string // key of routes
	dose              decimal
	unit              string // UCUM, or {tablet}
	sig               string
	times, hours      int // times in hours; 0: once
	asNeeded          bool
}

var routes = map[string]object{
	"oral":    snomed("26643006", "Oral route"),
	"iv":      snomed("47625008", "Intravenous route"),
	"sc":      snomed("34206005", "Subcutaneous route"),
	"im":      snomed("78421000", "Intramuscular route"),
	"inhaled": snomed("447694001", "Respiratory tract route"),
	"topical": snomed("6064005", "Topical route"),
	"under":   snomed("37839007", "Sublingual route"),
}

func mg(n int) decimal { return decimal{n, 0} }

var drugs = map[string]drug{
	"acetaminophen":     {"161", "acetaminophen", "Acetaminophen 500 mg tablet", "oral", mg(1000), "mg", "1 g by mouth up to 4 times a day as needed for pain or fever", 4, 24, true},
	"ibuprofen":         {"5640", "ibuprofen", "Ibuprofen 400 mg tablet", "oral", mg(400), "mg", "400 mg by mouth 3 times a day with food as needed", 3, 24, true},
	"oxycodone":         {"7804", "oxycodone", "Oxycodone 5 mg tablet", "oral", mg(5), "mg", "5 mg by mouth every 6 hours as needed for severe pain", 4, 24, true},
	"morphine":          {"7052", "morphine", "Morphine 2 mg/mL injection", "iv", mg(2), "mg", "2 mg intravenously every 4 hours as needed for severe pain", 6, 24, true},
	"aspirin":           {"1191", "aspirin", "Aspirin 81 mg tablet", "oral", mg(81), "mg", "81 mg by mouth once a day", 1, 24, false},
	"clopidogrel":       {"32968", "clopidogrel", "Clopidogrel 75 mg tablet", "oral", mg(75), "mg", "75 mg by mouth once a day", 1, 24, false},
	"ticagrelor":        {"1116632", "ticagrelor", "Ticagrelor 90 mg tablet", "oral", mg(90), "mg", "90 mg by mouth twice a day", 2, 24, false},
	"apixaban":          {"1364430", "apixaban", "Apixaban 5 mg tablet", "oral", mg(5), "mg", "5 mg by mouth twice a day", 2, 24, false},
	"enoxaparin":        {"67108", "enoxaparin", "Enoxaparin 40 mg/0.4 mL syringe", "sc", mg(40), "mg", "40 mg under the skin once a day", 1, 24, false},
	"heparin":           {"5224", "heparin", "Heparin infusion", "iv", mg(18), "U/kg/h", "Infusion by the anticoagulation protocol", 0, 0, false},
	"lisinopril":        {"29046", "lisinopril", "Lisinopril 20 mg tablet", "oral", mg(20), "mg", "20 mg by mouth once a day", 1, 24, false},
	"losartan":          {"52175", "losartan", "Losartan 50 mg tablet", "oral", mg(50), "mg", "50 mg by mouth once a day", 1, 24, false},
	"amlodipine":        {"17767", "amlodipine", "Amlodipine 5 mg tablet", "oral", mg(5), "mg", "5 mg by mouth once a day", 1, 24, false},
	"hctz":              {"5487", "hydrochlorothiazide", "Hydrochlorothiazide 25 mg tablet", "oral", mg(25), "mg", "25 mg by mouth in the morning", 1, 24, false},
	"metoprolol":        {"6918", "metoprolol", "Metoprolol succinate 50 mg extended-release tablet", "oral", mg(50), "mg", "50 mg by mouth once a day", 1, 24, false},
	"bisoprolol":        {"19484", "bisoprolol", "Bisoprolol 5 mg tablet", "oral", mg(5), "mg", "5 mg by mouth once a day", 1, 24, false},
	"furosemide":        {"4603", "furosemide", "Furosemide 40 mg tablet", "oral", mg(40), "mg", "40 mg by mouth in the morning", 1, 24, false},
	"furosemide-iv":     {"4603", "furosemide", "Furosemide 10 mg/mL injection", "iv", mg(80), "mg", "80 mg intravenously twice a day", 2, 24, false},
	"spironolactone":    {"9997", "spironolactone", "Spironolactone 25 mg tablet", "oral", mg(25), "mg", "25 mg by mouth once a day", 1, 24, false},
	"atorvastatin":      {"83367", "atorvastatin", "Atorvastatin 40 mg tablet", "oral", mg(40), "mg", "40 mg by mouth at bedtime", 1, 24, false},
	"nitroglycerin":     {"4917", "nitroglycerin", "Nitroglycerin 0.4 mg sublingual tablet", "under", decimal{4, 1}, "mg", "0.4 mg under the tongue for chest pain, up to 3 times", 3, 1, true},
	"metformin":         {"6809", "metformin", "Metformin 500 mg tablet", "oral", mg(500), "mg", "500 mg by mouth twice a day with meals", 2, 24, false},
	"empagliflozin":     {"1545653", "empagliflozin", "Empagliflozin 10 mg tablet", "oral", mg(10), "mg", "10 mg by mouth once a day", 1, 24, false},
	"glargine":          {"274783", "insulin glargine", "Insulin glargine 100 units/mL pen", "sc", mg(18), "U", "18 units under the skin at bedtime", 1, 24, false},
	"lispro":            {"86009", "insulin lispro", "Insulin lispro 100 units/mL pen", "sc", mg(6), "U", "By sliding scale under the skin before meals", 3, 24, false},
	"insulin-iv":        {"253182", "insulin, regular, human", "Regular insulin infusion", "iv", mg(6), "U/h", "Infusion by the ketoacidosis protocol", 0, 0, false},
	"levothyroxine":     {"10582", "levothyroxine", "Levothyroxine 75 mcg tablet", "oral", mg(75), "ug", "75 mcg by mouth once a day on an empty stomach", 1, 24, false},
	"albuterol":         {"435", "albuterol", "Albuterol 90 mcg inhaler", "inhaled", mg(2), "{puff}", "2 puffs every 4 hours as needed for wheeze", 6, 24, true},
	"albuterol-neb":     {"435", "albuterol", "Albuterol 2.5 mg/3 mL nebulizer solution", "inhaled", decimal{25, 1}, "mg", "2.5 mg by nebulizer every 4 hours", 6, 24, false},
	"fluticasone":       {"41126", "fluticasone", "Fluticasone 110 mcg inhaler", "inhaled", mg(2), "{puff}", "2 puffs twice a day, rinse afterwards", 2, 24, false},
	"tiotropium":        {"69120", "tiotropium", "Tiotropium 18 mcg inhalation capsule", "inhaled", mg(1), "{capsule}", "1 capsule inhaled once a day", 1, 24, false},
	"prednisone":        {"8640", "prednisone", "Prednisone 20 mg tablet", "oral", mg(40), "mg", "40 mg by mouth once a day for 5 days", 1, 24, false},
	"omeprazole":        {"7646", "omeprazole", "Omeprazole 20 mg capsule", "oral", mg(20), "mg", "20 mg by mouth before breakfast", 1, 24, false},
	"pantoprazole-iv":   {"40790", "pantoprazole", "Pantoprazole 40 mg injection", "iv", mg(40), "mg", "40 mg intravenously twice a day", 2, 24, false},
	"ondansetron":       {"26225", "ondansetron", "Ondansetron 4 mg injection", "iv", mg(4), "mg", "4 mg intravenously every 8 hours as needed for nausea", 3, 24, true},
	"ceftriaxone":       {"2193", "ceftriaxone", "Ceftriaxone 1 g injection", "iv", mg(1), "g", "1 g intravenously once a day", 1, 24, false},
	"azithromycin":      {"18631", "azithromycin", "Azithromycin 500 mg tablet", "oral", mg(500), "mg", "500 mg by mouth once a day", 1, 24, false},
	"vancomycin":        {"11124", "vancomycin", "Vancomycin 1 g injection", "iv", mg(1), "g", "1 g intravenously every 12 hours, dosed by level", 2, 24, false},
	"piperacillin":      {"8339", "piperacillin", "Piperacillin-tazobactam 4.5 g injection", "iv", decimal{45, 1}, "g", "4.5 g intravenously every 8 hours", 3, 24, false},
	"cefazolin":         {"2180", "cefazolin", "Cefazolin 2 g injection", "iv", mg(2), "g", "2 g intravenously every 8 hours", 3, 24, false},
	"cephalexin":        {"2231", "cephalexin", "Cephalexin 500 mg capsule", "oral", mg(500), "mg", "500 mg by mouth 4 times a day for 7 days", 4, 24, false},
	"amoxicillin":       {"723", "amoxicillin", "Amoxicillin 400 mg/5 mL suspension", "oral", mg(400), "mg", "400 mg by mouth twice a day for 10 days", 2, 24, false},
	"metronidazole":     {"6922", "metronidazole", "Metronidazole 500 mg injection", "iv", mg(500), "mg", "500 mg intravenously every 8 hours", 3, 24, false},
	"saline":            {"9863", "sodium chloride", "Sodium chloride 0.9 % infusion", "iv", mg(100), "mL/h", "100 mL an hour intravenously", 0, 0, false},
	"norepinephrine":    {"7512", "norepinephrine", "Norepinephrine infusion", "iv", mg(5), "ug/min", "Infusion to a mean pressure of 65 mmHg", 0, 0, false},
	"docusate":          {"82003", "docusate", "Docusate 100 mg capsule", "oral", mg(100), "mg", "100 mg by mouth twice a day", 2, 24, false},
	"oxytocin":          {"7824", "oxytocin", "Oxytocin 10 units/mL injection", "im", mg(10), "U", "10 units into the muscle after delivery", 0, 0, false},
	"vitamin-k":         {"8308", "phytonadione", "Phytonadione 1 mg/0.5 mL injection", "im", mg(1), "mg", "1 mg into the muscle once after birth", 0, 0, false},
	"sertraline":        {"36437", "sertraline", "Sertraline 100 mg tablet", "oral", mg(100), "mg", "100 mg by mouth once a day", 1, 24, false},
	"escitalopram":      {"321988", "escitalopram", "Escitalopram 10 mg tablet", "oral", mg(10), "mg", "10 mg by mouth once a day", 1, 24, false},
	"mirtazapine":       {"15996", "mirtazapine", "Mirtazapine 15 mg tablet", "oral", mg(15), "mg", "15 mg by mouth at bedtime", 1, 24, false},
	"lithium":           {"6448", "lithium", "Lithium carbonate 300 mg capsule", "oral", mg(300), "mg", "300 mg by mouth 3 times a day", 3, 24, false},
	"lorazepam":         {"6470", "lorazepam", "Lorazepam 2 mg tablet", "oral", mg(2), "mg", "2 mg by mouth by withdrawal score", 6, 24, true},
	"thiamine":          {"10454", "thiamine", "Thiamine 100 mg tablet", "oral", mg(100), "mg", "100 mg by mouth once a day", 1, 24, false},
	"naltrexone":        {"7243", "naltrexone", "Naltrexone 50 mg tablet", "oral", mg(50), "mg", "50 mg by mouth once a day", 1, 24, false},
	"buprenorphine":     {"1819", "buprenorphine", "Buprenorphine-naloxone 8 mg/2 mg film", "under", mg(8), "mg", "8 mg under the tongue twice a day", 2, 24, false},
	"naloxone":          {"7242", "naloxone", "Naloxone 0.4 mg/mL injection", "iv", decimal{4, 1}, "mg", "0.4 mg intravenously, repeat as needed", 0, 0, false},
	"dolutegravir":      {"1433868", "dolutegravir", "Dolutegravir-lamivudine 50 mg/300 mg tablet", "oral", mg(1), "{tablet}", "1 tablet by mouth once a day", 1, 24, false},
	"sumatriptan":       {"37418", "sumatriptan", "Sumatriptan 50 mg tablet", "oral", mg(50), "mg", "50 mg by mouth at onset of migraine, may repeat once", 2, 24, true},
	"topiramate":        {"38404", "topiramate", "Topiramate 50 mg tablet", "oral", mg(50), "mg", "50 mg by mouth twice a day", 2, 24, false},
	"levetiracetam":     {"114477", "levetiracetam", "Levetiracetam 500 mg tablet", "oral", mg(500), "mg", "500 mg by mouth twice a day", 2, 24, false},
	"anastrozole":       {"84857", "anastrozole", "Anastrozole 1 mg tablet", "oral", mg(1), "mg", "1 mg by mouth once a day", 1, 24, false},
	"methotrexate":      {"6851", "methotrexate", "Methotrexate 2.5 mg tablet", "oral", mg(15), "mg", "15 mg by mouth once a week", 1, 168, false},
	"folic-acid":        {"4511", "folic acid", "Folic acid 1 mg tablet", "oral", mg(1), "mg", "1 mg by mouth once a day", 1, 24, false},
	"ferrous-sulfate":   {"24947", "ferrous sulfate", "Ferrous sulfate 325 mg tablet", "oral", mg(325), "mg", "325 mg by mouth every other day", 1, 48, false},
	"alendronate":       {"46041", "alendronate", "Alendronate 70 mg tablet", "oral", mg(70), "mg", "70 mg by mouth once a week, upright for half an hour", 1, 168, false},
	"tamsulosin":        {"77492", "tamsulosin", "Tamsulosin 0.4 mg capsule", "oral", decimal{4, 1}, "mg", "0.4 mg by mouth at bedtime", 1, 24, false},
	"allopurinol":       {"519", "allopurinol", "Allopurinol 300 mg tablet", "oral", mg(300), "mg", "300 mg by mouth once a day", 1, 24, false},
	"cetirizine":        {"20610", "cetirizine", "Cetirizine 10 mg tablet", "oral", mg(10), "mg", "10 mg by mouth once a day as needed", 1, 24, true},
	"prenatal-vitamins": {"4511", "folic acid", "Prenatal vitamins with folic acid tablet", "oral", mg(1), "{tablet}", "1 tablet by mouth once a day", 1, 24, false},
}
