package admin

import (
	"context"
	"errors"

	"github.com/holdline/holdline/internal/auth"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/people"
)

// AlarmFound is an alarm with what its person has now.
type AlarmFound struct {
	Alarm   claim.Alarm
	Profile people.Profile // with no more than the id where they are gone or Away
	Away    bool           // Kratos does not answer
	Gone    bool           // there is no such identity
}

// Alarm returns one alarm. Error: [claim.ErrNoAlarm].
func (d *Service) Alarm(ctx context.Context, id string) (AlarmFound, error) {
	a, err := d.Store.Alarm(ctx, id)
	switch {
	case err != nil:
		return AlarmFound{}, err
	case a == nil:
		return AlarmFound{}, claim.ErrNoAlarm
	}
	found := AlarmFound{Alarm: *a}
	found.Profile, err = d.Directory.Profile(ctx, a.IdentityID)
	found.Profile.ID = a.IdentityID
	switch {
	case errors.Is(err, claim.ErrIdentitiesUnavailable):
		found.Away = true
	case errors.Is(err, claim.ErrNoIdentity):
		found.Gone = true
	case err != nil:
		return AlarmFound{}, err
	}
	return found, nil
}

// onAlarm does something to the person of an alarm, if the administrator may.
func (d *Service) onAlarm(ctx context.Context, id string, who auth.Administrator, do func(claim.Alarm) error) error {
	a, err := d.Store.Alarm(ctx, id)
	switch {
	case err != nil:
		return err
	case a == nil:
		return claim.ErrNoAlarm
	}
	if err := d.mayWrite(ctx, a.IdentityID, who); err != nil {
		return err
	}
	return do(*a)
}

// RestoreNumber is [claim.Service.RestoreNumber]. Error: ErrPrivilegedPerson too.
func (d *Service) RestoreNumber(ctx context.Context, alarmID string, who auth.Administrator) error {
	return d.onAlarm(ctx, alarmID, who, func(claim.Alarm) error { return d.Claims.RestoreNumber(ctx, alarmID, who.Actor) })
}

// EndSessions ends all sessions of an alarm's person. Error: ErrPrivilegedPerson too.
func (d *Service) EndSessions(ctx context.Context, alarmID string, who auth.Administrator) error {
	return d.onAlarm(ctx, alarmID, who, func(claim.Alarm) error { return d.Claims.EndAlarmSessions(ctx, alarmID, who.Actor) })
}

// LiftBlock lets an alarm's person change their number before its time. Error: ErrPrivilegedPerson too.
func (d *Service) LiftBlock(ctx context.Context, alarmID string, who auth.Administrator) error {
	return d.onAlarm(ctx, alarmID, who, func(a claim.Alarm) error {
		return d.Claims.LiftBlock(ctx, claim.Caller{IdentityID: a.IdentityID, By: who.Actor, AuthenticatedAt: d.Now()})
	})
}

// CloseAlarm says that nothing more is to be done; after that the number from before is not put
// back. Error: ErrPrivilegedPerson too.
func (d *Service) CloseAlarm(ctx context.Context, alarmID string, who auth.Administrator) error {
	return d.onAlarm(ctx, alarmID, who, func(claim.Alarm) error {
		return d.Claims.CloseAlarm(ctx, alarmID, claim.AlarmClosed, who.Actor)
	})
}
