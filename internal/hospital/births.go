package hospital

import (
	"fmt"
	"time"
)

// The two stories of a maternity ward. Children are written by deliver.
var births = []*story{
	{key: "birth", name: "Birth, spontaneous", snomed: "48782003", icd: "O80", ward: "3n", days: 2,
		complaint: "Contractions at term", history: "{age}-year-old {woman}, contractions every five minutes since the night, waters clear. Pregnancy without complications.",
		exam: "Head engaged, cervix five centimetres, fetal heart 140 with accelerations.", plan: []string{"Birth without intervention wished.", "Skin to skin, early feeding.", "Home on the second day if both are well."},
		course:  []string{"Well after the birth, little bleeding, breastfeeding begun.", "Milk coming in. Wishes to go home today."},
		nursing: []string{"Womb firm, bleeding moderate. Baby latched on both sides.", "Slept while the baby was in the nursery for two hours. Bathing shown.", "Feeding every two to three hours, no soreness."},
		start:   signs{92, 124, 76, 18, 98, 369}, panels: []string{"cbc"}, labs: []trend{{"hgb", 116, 104}}, drugs: []string{"oxytocin", "ibuprofen", "acetaminophen"},
		surgery: &operation{"177184002", "Normal delivery", "Spontaneous birth from the front, first-degree tear sutured. Placenta complete. Blood loss 300 mL. Mother and child well."}},
	{key: "cesarean", name: "Birth by cesarean section", snomed: "200147006", icd: "O82", ward: "3n", days: 4,
		complaint: "Planned cesarean section", history: "{age}-year-old {woman}, second child, cesarean at the first birth, wishes it again at 39 weeks.",
		exam: "Abdomen soft, child in breech position, fetal heart 138.", plan: []string{"Cesarean under spinal anesthesia.", "Enoxaparin from the evening, out of bed the next morning.", "Pain relief without opioids if possible."},
		course:  []string{"Out of bed, pain 4, wound dry.", "Catheter out, passes water. Breastfeeding with help.", "Walks the corridor, wound dry. Home tomorrow."},
		nursing: []string{"Dressing dry, womb firm. Helped to the chair.", "Pain 3 after the tablet. Baby fed at the breast, topped up once.", "Walked with the cot to the nursery."},
		start:   signs{84, 122, 74, 16, 98, 367}, panels: []string{"cbc"}, labs: []trend{{"hgb", 112, 96}}, drugs: []string{"ibuprofen", "acetaminophen", "enoxaparin"},
		surgery: &operation{"11466000", "Cesarean section", "Spinal anesthesia. Low transverse incision. Child in breech, cried at once. Placenta complete, womb closed in two layers. Blood loss 550 mL."}},
}

var newbornStory = &story{key: "newborn", name: "Newborn, born in this hospital", snomed: "442311008", icd: "Z38.00", ward: "3n", days: 3,
	complaint: "Birth", history: "Born at term in this hospital, breathed and cried at once. Mother healthy, no fever in labour.",
	exam: "Pink, good tone, heart without murmur, hips stable, palate whole, red reflex on both sides.", plan: []string{"Vitamin K and hepatitis B vaccine given.", "Hearing test and heel prick before discharge.", "Bilirubin daily."},
	course:  []string{"Feeds well, first urine and stool passed.", "Weight down five percent, slight jaundice below the line. Hearing passed on both sides."},
	nursing: []string{"Skin to skin with the mother, latched after twenty minutes. Cord clean.", "Two wet diapers, dark stool. Slept three hours.", "Bathed with both parents watching."},
	start:   signs{146, 70, 42, 48, 96, 367}, panels: []string{"bilinb"}, labs: []trend{{"bilinb", 38, 92}}, drugs: []string{"vitamin-k"}}

// deliver admits a mother with her child, who shares her bed.
func (h *house) deliver(mother *patient, ward *place, bed int, d *draw) {
	st := births[0]
	if d.chance(30) {
		st = births[1]
	}
	var kept []string
	for _, p := range mother.problems {
		if p != "pregnancy" {
			kept = append(kept, p)
		}
	}
	mother.problems = kept
	by := pick(d, ward.physicians)
	hours := d.between(8, st.days*24-8)
	admitted := h.now.Add(-time.Duration(hours)*time.Hour - time.Duration(d.below(60))*time.Minute)
	h.stays = append(h.stays, &stay{p: mother, ward: ward, bed: bed, attending: by, story: st, admitted: admitted, labour: true})
	born := admitted.Add(5 * time.Hour)
	if st == births[1] {
		born = admitted.Add(3 * time.Hour)
	}
	girl := d.chance(49)
	name := map[bool]string{true: "Baby girl", false: "Baby boy"}[girl]
	child := &patient{given: name, family: mother.family, female: girl, culture: mother.culture, home: mother.home, phone: mother.phone, kin: []*patient{mother}, mother: mother,
		birthTime: born, born: time.Date(born.Year(), born.Month(), born.Day(), 0, 0, 0, 0, h.Zone), insurer: mother.insurer, memberID: mother.memberID,
		doctor: pick(d, h.find(ward.house, "peds").physicians), here: true}
	h.enroll(child, len(h.folk))
	h.folk = append(h.folk, child)
	h.stays = append(h.stays, &stay{p: child, ward: ward, bed: bed, attending: pick(d, h.find(ward.house, "peds").physicians), story: newbornStory, admitted: born})
}

// greet writes what is written of a newborn only.
func (s *stay) greet(c *chart) {
	by := s.nurse(s.admitted)
	c.immunize(vaccines[0], s.admitted.Add(3*time.Hour), by)
	c.size = size{c.d.between(470, 540), c.d.between(27, 42)}
	for i, minute := range []int{1, 5} {
		at := s.admitted.Add(time.Duration(minute) * time.Minute)
		code := [...]object{loinc("9272-6", "1 minute Apgar score"), loinc("9274-2", "5 minute Apgar score")}[i]
		c.add("Observation", at, by, object{"status", "final", "category", list{termConcept("observation-category", "exam", "Exam")},
			"code", concept(fmt.Sprintf("Apgar score at %d minutes", minute), code), "subject", c.p.ref(), "encounter", ref(s.encounter, ""), "effectiveDateTime", at, "issued", at,
			"performer", list{by.ref()}, "valueQuantity", quantity(decimal{8 + i, 0}, "{score}", "{score}")})
	}
}
