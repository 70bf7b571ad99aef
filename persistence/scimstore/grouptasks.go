package scimstore

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/holdline/holdline/internal/audit"
	"github.com/holdline/holdline/internal/scim/groups"
	"github.com/holdline/holdline/persistence/database"
)

// groupTask is a line of the table scim_group_tasks.
type groupTask struct {
	GroupPlace int64 `gorm:"primaryKey;autoIncrement:false"`
	Deleted    int
	Name       string
	AfterUser  string
	Changes    int64
}

// TableName implements gorm's Tabler.
func (groupTask) TableName() string { return "scim_group_tasks" }

// identityTask is a line of the table scim_identity_tasks.
type identityTask struct {
	UserID  string `gorm:"primaryKey"`
	DueAt   database.Time
	Tries   int
	Changes int64
}

// TableName implements gorm's Tabler.
func (identityTask) TableName() string { return "scim_identity_tasks" }

// addGroupTask has all members of a group hear of what became of it, also those who
// have heard of what was before.
func addGroupTask(tx *gorm.DB, task groupTask) error {
	task.Changes = 1
	return tx.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "group_place"}},
		DoUpdates: clause.Assignments(map[string]any{
			"deleted": task.Deleted, "name": task.Name, "after_user": "", "changes": gorm.Expr("scim_group_tasks.changes + 1"),
		}),
	}).Create(&task).Error
}

// tell makes tasks of what a change means to identities.
func (s *Groups) tell(tx *gorm.DB, place int64, done groups.Done) error {
	if s.shown && done.Before.Name != done.After.Name {
		if err := addGroupTask(tx, groupTask{GroupPlace: place, Name: done.After.Name}); err != nil {
			return err
		}
	}
	return s.show(tx, slices.Concat(done.Joined, done.Left))
}

// show makes it a task that identities show the names of their groups, if they do.
func (s *Groups) show(tx *gorm.DB, users []string) error {
	if !s.shown {
		return nil
	}
	return addIdentityTasks(tx, users)
}

func addIdentityTasks(tx *gorm.DB, users []string) error {
	for batch := range slices.Chunk(users, batchSize) {
		rows := make([]identityTask, len(batch))
		for i, user := range slices.Sorted(slices.Values(batch)) {
			rows[i] = identityTask{UserID: user, DueAt: database.Time(time.Unix(0, 0)), Changes: 1}
		}
		err := tx.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "user_id"}},
			DoUpdates: clause.Assignments(map[string]any{
				"changes": gorm.Expr("scim_identity_tasks.changes + 1"), "due_at": database.Time(time.Unix(0, 0)), "tries": 0,
			}),
		}).Create(&rows).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// Stale makes it a task to compare what identities show.
func (s *Groups) Stale(ctx context.Context, users []string) error {
	if len(users) == 0 {
		return nil
	}
	return s.db.Classify(s.db.Transaction(ctx, "stale", "scim_identity_tasks", func(tx *gorm.DB) error { return addIdentityTasks(tx, users) }))
}

// Follow goes on with what became of one group: it makes tasks for the next n of its
// members, or ends their memberships if the group was deleted. It reports whether there
// was anything to do.
func (s *Groups) Follow(ctx context.Context, n int, line func(user, group string) audit.Event) (bool, error) {
	var tasks []groupTask
	err := s.db.Read(ctx, "follow", "scim_group_tasks", func(tx *gorm.DB) error {
		tasks = nil
		return tx.Order("group_place").Limit(1).Find(&tasks).Error
	})
	if err != nil || len(tasks) == 0 {
		return false, err
	}
	task := tasks[0]
	err = s.db.Transaction(ctx, "follow", "scim_group_tasks", func(tx *gorm.DB) error { return s.follow(tx, task, n, line) })
	return true, s.db.Classify(err)
}

func (s *Groups) follow(tx *gorm.DB, task groupTask, n int, line func(user, group string) audit.Event) error {
	// Who takes the step first has done it: another replica finds the task changed.
	mine := func(tx *gorm.DB) *gorm.DB {
		return tx.Where("group_place = ? AND changes = ? AND after_user = ?", task.GroupPlace, task.Changes, task.AfterUser)
	}
	var users []string
	err := tx.Model(&memberRow{}).Where("group_place = ? AND user_id > ?", task.GroupPlace, task.AfterUser).
		Order("user_id").Limit(n).Pluck("user_id", &users).Error
	if err != nil {
		return err
	}
	var taken *gorm.DB
	if len(users) < n {
		taken = mine(tx).Delete(&groupTask{})
	} else {
		taken = mine(tx.Model(&groupTask{})).UpdateColumn("after_user", users[len(users)-1])
	}
	if taken.Error != nil || taken.RowsAffected == 0 {
		return taken.Error
	}
	if task.Deleted != 0 {
		if err := removeMembers(tx, task.GroupPlace, users); err != nil {
			return err
		}
		lines := make([]audit.Event, len(users))
		for i, user := range users {
			lines[i] = line(user, task.Name)
		}
		if err := s.record(tx, lines); err != nil {
			return err
		}
	}
	return s.show(tx, users)
}

// Due returns at most n identities that may not show the names of their groups.
func (s *Groups) Due(ctx context.Context, now time.Time, n int) ([]groups.Task, error) {
	var rows []identityTask
	err := s.db.Read(ctx, "due", "scim_identity_tasks", func(tx *gorm.DB) error {
		rows = nil
		return tx.Where("due_at <= ?", database.Time(now)).Order("due_at").Limit(n).Find(&rows).Error
	})
	var tasks []groups.Task
	for _, row := range rows {
		tasks = append(tasks, groups.Task{User: row.UserID, Tries: row.Tries, Changes: row.Changes})
	}
	return tasks, err
}

// Take has a task be nobody else's until a moment, and reports whether it was to be had.
func (s *Groups) Take(ctx context.Context, t groups.Task, now, until time.Time) (bool, error) {
	var taken int64
	err := s.db.Write(ctx, "take", "scim_identity_tasks", func(tx *gorm.DB) error {
		done := tx.Model(&identityTask{}).Where("user_id = ? AND changes = ? AND due_at <= ?", t.User, t.Changes, database.Time(now)).
			UpdateColumns(map[string]any{"due_at": database.Time(until), "tries": t.Tries + 1})
		taken = done.RowsAffected
		return done.Error
	})
	return taken > 0, s.db.Classify(err)
}

// Shown ends a task, unless something has changed since it was taken.
func (s *Groups) Shown(ctx context.Context, t groups.Task) error {
	return s.db.Classify(s.db.Write(ctx, "shown", "scim_identity_tasks", func(tx *gorm.DB) error {
		return tx.Where("user_id = ? AND changes = ?", t.User, t.Changes).Delete(&identityTask{}).Error
	}))
}

// Waiting counts the identities that may not show the names of their groups, and the
// groups whose members have still to hear of something.
func (s *Groups) Waiting(ctx context.Context) (identities, waiting int, err error) {
	var n, m int64
	err = s.db.Read(ctx, "count", "scim_identity_tasks", func(tx *gorm.DB) error {
		if err := tx.Model(&identityTask{}).Count(&n).Error; err != nil {
			return err
		}
		return tx.Model(&groupTask{}).Count(&m).Error
	})
	return int(n), int(m), err
}

// Orphans returns at most n users, those after an id, who are members of something and
// whom the index of users does not have.
func (s *Groups) Orphans(ctx context.Context, after string, n int) ([]string, error) {
	var users []string
	err := s.db.Read(ctx, "orphans", "scim_members", func(tx *gorm.DB) error {
		users = nil
		return tx.Raw(`SELECT DISTINCT m.user_id FROM scim_members AS m LEFT JOIN scim_users AS u ON u.id = m.user_id
			WHERE u.id IS NULL AND m.user_id > ? ORDER BY m.user_id LIMIT ?`, after, n).Scan(&users).Error
	})
	return users, err
}
